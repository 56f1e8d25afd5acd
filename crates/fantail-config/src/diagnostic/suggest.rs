//! Similar names, for "did you mean".

/// The maximum length of compared names; longer ones are not mistyped.
const MAX_LENGTH: usize = 64;

/// The maximum number of compared names, because each takes time.
const MAX_NAMES: usize = 1_000;

/// Returns the name that is most similar to `written`, with at most one edit in
/// every three bytes. Of equally similar names, it is the name with most of the
/// letters, or the first one.
pub(crate) fn nearest<'a>(
    written: &[u8],
    names: impl IntoIterator<Item = &'a [u8]>,
) -> Option<&'a [u8]> {
    if written.len() > MAX_LENGTH {
        return None;
    }
    let allowed = written.len().div_ceil(3);
    let mut best: Option<((usize, usize), &[u8])> = None;
    for name in names.into_iter().take(MAX_NAMES) {
        if name.len() > MAX_LENGTH || name.is_empty() {
            continue;
        }
        let edits = distance(written, name);
        let letters = written.iter().filter(|byte| !name.contains(byte)).count();
        let far = (edits, letters);
        if edits <= allowed && edits < name.len() && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Returns at most `most` names that may have been meant by `written`: similar
/// ones (at most one edit in every three bytes), the most similar first, then
/// those that begin with it.
#[must_use]
pub fn similar<'a>(
    written: &[u8],
    names: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    if written.is_empty() || written.len() > MAX_LENGTH {
        return Vec::new();
    }
    let allowed = written.len().div_ceil(3);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names.into_iter().take(MAX_NAMES) {
        let bytes = name.as_bytes();
        if bytes == written || bytes.len() > MAX_LENGTH {
            continue;
        }
        let edits = distance(written, bytes);
        if edits <= allowed && edits < bytes.len() {
            found.push((edits, name));
        } else if bytes.starts_with(written) && bytes.get(written.len()) == Some(&b'_') {
            found.push((MAX_LENGTH, name));
        }
    }
    found.sort_by_key(|(far, _)| *far);
    // Keeps only the names that are about as similar as the first.
    let nearest = found.first().map_or(0, |(far, _)| *far);
    found.retain(|(far, _)| *far <= nearest.saturating_add(1) || *far == MAX_LENGTH);
    found.dedup_by_key(|(_, name)| *name);
    found.truncate(most);
    found.into_iter().map(|(_, name)| name).collect()
}

/// Formats names as `a`, `b` or `c`.
pub(crate) fn alternatives(names: &[&str]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        text.push_str(match index {
            0 => "",
            _ if index + 1 == names.len() => " or ",
            _ => ", ",
        });
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text
}

/// Returns the number of insertions, deletions, replacements and swaps of
/// neighbours between two names, ignoring the case of letters.
fn distance(a: &[u8], b: &[u8]) -> usize {
    strsim::generic_damerau_levenshtein(&a.to_ascii_lowercase(), &b.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: Option<&str>) {
        let names = [
            "filter",
            "fields",
            "group_by",
            "exporter",
            "exporter_include",
            "log",
        ];
        let found = nearest(written.as_bytes(), names.map(str::as_bytes));
        assert_eq!(found, expected.map(str::as_bytes), "{written}");
    }

    #[test]
    fn near_names_are_suggested() {
        check("fitler", Some("filter"));
        check("fildes", Some("fields"));
        check("groupby", Some("group_by"));
        check("Exporter", Some("exporter"));
        check("exporter_includes", Some("exporter_include"));
        check("lgo", Some("log"));
    }

    #[test]
    fn far_names_are_not() {
        check("transport", None);
        check("", None);
        check("x", None);
        check(&"filter".repeat(100), None);
    }
}
