//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, `[[:digit:]]`, and `\`
//! before any byte.
//!
//! Patterns match as in glob(3): only a dot matches a leading dot, and no
//! wildcard matches `/`. The matcher returns only to the last star, so any
//! pattern takes at most quadratic time.

use crate::load::loader::{LoadError, LoadErrorKind, to_path};

/// The maximum number of names that a pattern matches.
const MAX_MATCHES: usize = 10_000;

/// Returns whether a name has wildcards.
pub(crate) fn is_pattern(name: &[u8]) -> bool {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    name.iter().any(special)
}

/// Returns whether a path matches a pattern, component by component.
pub(crate) fn matches_path(pattern: &[u8], path: &[u8]) -> bool {
    let mut names = path.split(|byte| *byte == b'/');
    let mut patterns = pattern.split(|byte| *byte == b'/');
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if matches_name(pattern, name) => {}
            _ => return false,
        }
    }
}

/// Returns whether a name without slashes matches a pattern.
pub(crate) fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    let shows_hidden = matches!(pattern, [b'.', ..] | [b'\\', b'.', ..]);
    if name.first() == Some(&b'.') && !shows_hidden {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // The state to return to if the last star has to match one more byte.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            pattern = rest;
            retry = Some((rest, name));
            continue;
        }
        let step = match name {
            [] if pattern.is_empty() => return true,
            [] => None,
            [byte, rest @ ..] => one(pattern, *byte).map(|behind| (behind, rest)),
        };
        if let Some(next) = step {
            (pattern, name) = next;
            continue;
        }
        match retry {
            Some((behind, [_, rest @ ..])) => {
                (pattern, name) = (behind, rest);
                retry = Some((behind, rest));
            }
            _ => return false,
        }
    }
}

/// Returns the pattern after its first element, if that matches the byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => match class(rest, byte) {
            Some((true, behind)) => Some(behind),
            Some((false, _)) => None,
            None => (byte == b'[').then_some(rest),
        },
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
        [] => None,
    }
}

/// Returns whether the class (after its `[`) contains the byte, and the rest of
/// the pattern; `None` if it is not closed.
fn class(class: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match class {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    let mut first = true;
    loop {
        if let Some((name, behind)) = named_class(rest) {
            // glibc matches nothing with a class that it does not know.
            let Some(has) = has_byte(name, byte) else {
                return Some((false, &[]));
            };
            found |= has;
            (rest, first) = (behind, false);
            continue;
        }
        let (low, behind) = match rest {
            [b']', behind @ ..] if !first => return Some((found != negated, behind)),
            _ => literal(rest)?,
        };
        let (high, behind) = match behind {
            [b'-', end @ ..] if !matches!(end, [b']', ..]) => literal(end)?,
            _ => (low, behind),
        };
        found |= (low..=high).contains(&byte);
        rest = behind;
        first = false;
    }
}

/// Returns the name in `[:name:]` at the start of a class, and the rest.
fn named_class(class: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = class.strip_prefix(b"[:")?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_lowercase());
    let (name, behind) = rest.split_at_checked(length.count())?;
    Some((name, behind.strip_prefix(b":]")?))
}

/// Returns whether a byte is in a named class of the locale C; `None` if there is
/// no such class.
fn has_byte(class: &[u8], byte: u8) -> Option<bool> {
    Some(match class {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == b'\x0b',
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// Returns the first byte of a class, and the rest; `None` at its end.
fn literal(class: &[u8]) -> Option<(u8, &[u8])> {
    match class {
        [b'[', b'.', byte, b'.', b']', behind @ ..]
        | [b'[', b'=', byte, b'=', b']', behind @ ..]
        | [b'\\', byte, behind @ ..]
        | [byte, behind @ ..] => Some((*byte, behind)),
        [] => None,
    }
}

/// The directories in which a pattern is expanded.
pub(crate) trait Listing {
    /// Returns the names in a directory; none if it is not a directory.
    fn names(&self, directory: &[u8]) -> Result<Vec<Vec<u8>>, LoadError>;

    /// Returns whether the path exists.
    fn exists(&self, path: &[u8]) -> bool;
}

/// The directories of the machine.
pub(crate) struct Directories;

impl Listing for Directories {
    fn names(&self, directory: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        let directory = if directory.is_empty() {
            b"."
        } else {
            directory
        };
        let Ok(entries) = std::fs::read_dir(to_path(directory)?) else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            names.extend(<[u8] as bstr::ByteSlice>::from_os_str(&name).map(<[u8]>::to_vec));
        }
        Ok(names)
    }

    fn exists(&self, path: &[u8]) -> bool {
        to_path(path).is_ok_and(std::path::Path::exists)
    }
}

/// Returns the existing paths that match a pattern, sorted.
pub(crate) fn expand(pattern: &[u8], listing: &impl Listing) -> Result<Vec<Vec<u8>>, LoadError> {
    let mut paths: Vec<Vec<u8>> = vec![Vec::new()];
    for (index, component) in pattern.split(|byte| *byte == b'/').enumerate() {
        let mut next = Vec::new();
        for path in paths {
            let mut base = path.clone();
            if index > 0 {
                base.push(b'/');
            }
            if !is_pattern(component) {
                base.extend_from_slice(component);
                next.push(base);
                continue;
            }
            let mut names = listing.names(&base)?;
            names.retain(|name| matches_name(component, name));
            next.extend(
                names
                    .into_iter()
                    .map(|name| [base.as_slice(), &name].concat()),
            );
            if next.len() > MAX_MATCHES {
                return Err(LoadError::new(
                    LoadErrorKind::TooLarge,
                    "the pattern stands for too many files",
                ));
            }
        }
        paths = next;
    }
    paths.retain(|path| listing.exists(path));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the same as bash and glob(3).
    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        let matches = matches_path(pattern.as_bytes(), name.as_bytes());
        assert_eq!(matches, expected, "{pattern} {name}");
    }

    #[test]
    fn stars_and_question_marks() {
        check("*.conf", "a.conf", true);
        check("*.conf", "a.conf.ext", false);
        check("*.conf", ".a.conf", false);
        check(".*.conf", ".a.conf", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
        check("?", "a", true);
        check("?", "", false);
        check("*", "", true);
        check("*", "a/b", false);
        check("*/*.conf", "a/b.conf", true);
        check("?ab*", "/ab", false);
    }

    #[test]
    fn classes() {
        check("[a-c]x", "bx", true);
        check("[a-c]x", "dx", false);
        check("[!a-c]x", "dx", true);
        check("[!a-c]x", "ax", false);
        check("[]]", "]", true);
        check("[]a]", "a", true);
        check("[a-]", "-", true);
        check("[a", "[a", true);
        check("[\\]]", "]", true);
        check("[!\\]]", "]", false);
        check("[\\a-\\c]", "b", true);
        check("[z-a]", "b", false);
        check("\\*", "*", true);
        check("\\*", "a", false);
        check("\\.a", ".a", true);
        check("[.]a", ".a", false);
        check("[[:digit:]]", "7", true);
        check("[[:digit:]]", "a", false);
        check("[![:digit:]x]", "a", true);
        check("[![:digit:]x]", "x", false);
        check("[_[:upper:]b-d]", "c", true);
        check("[[:nonsense:]a]", "a", false);
        check("[[:digit]", ":", true);
        check("[[.-.]a]", "-", true);
        check("[[=a=]]", "a", true);
    }

    #[test]
    fn long_names_take_no_time() {
        let pattern = "*a".repeat(200);
        check(&pattern, &"a".repeat(20_000), true);
        check(&format!("{pattern}b"), &"a".repeat(20_000), false);
    }

    struct Files(&'static [&'static str]);

    impl Listing for Files {
        fn names(&self, directory: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
            let inside = self
                .0
                .iter()
                .filter_map(|path| path.as_bytes().strip_prefix(directory));
            let mut names: Vec<Vec<u8>> = inside
                .filter_map(|rest| rest.split(|byte| *byte == b'/').next())
                .map(<[u8]>::to_vec)
                .collect();
            names.dedup();
            Ok(names)
        }

        fn exists(&self, path: &[u8]) -> bool {
            self.0.iter().any(|known| known.as_bytes() == path)
        }
    }

    #[track_caller]
    fn check_expand(pattern: &str, expected: &[&str]) {
        let files = Files(&[
            "/e/a.conf",
            "/e/b.conf",
            "/e/b.ext",
            "/e/d/c.conf",
            "/f/d/b.conf",
        ]);
        let paths = expand(pattern.as_bytes(), &files).unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|path| path.as_bytes().to_vec())
            .collect();
        assert_eq!(paths, expected, "{pattern}");
    }

    #[test]
    fn expansion() {
        check_expand("/e/*.conf", &["/e/a.conf", "/e/b.conf"]);
        check_expand("/*/d/?.conf", &["/e/d/c.conf", "/f/d/b.conf"]);
        check_expand("/e/b.*", &["/e/b.conf", "/e/b.ext"]);
        check_expand("/e/a.conf", &["/e/a.conf"]);
        check_expand("/e/\\a.conf", &["/e/a.conf"]);
        check_expand("/e/no.conf", &[]);
        check_expand("/no/*.conf", &[]);
    }
}
