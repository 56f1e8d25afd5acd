//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, `[[:digit:]]`, and `\`
//! before any byte.
//!
//! As glob(3) does: a leading dot is matched only by a dot, `/` never by a
//! wildcard. The matcher remembers one star to go back to, so that no pattern
//! takes more than quadratic time.

use crate::load::loader::{LoadError, LoadErrorKind, to_path};

/// How many names a pattern may stand for.
const MAX_MATCHES: usize = 10_000;

/// Whether a name has wildcards.
pub(crate) fn is_pattern(name: &[u8]) -> bool {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    name.iter().any(special)
}

/// Whether a path matches a pattern, component by component.
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

/// Whether a name without slashes matches.
pub(crate) fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    let shows_hidden = matches!(pattern, [b'.', ..] | [b'\\', b'.', ..]);
    if name.first() == Some(&b'.') && !shows_hidden {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on after the last star if it has to take one byte more.
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

/// The pattern behind its first element, if that matches the byte.
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

/// Whether the class (behind its `[`) has the byte, and what follows it.
/// `None` if it is not closed.
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

/// The name in `[:name:]` at the start of a class, and what follows it.
fn named_class(class: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = class.strip_prefix(b"[:")?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_lowercase());
    let (name, behind) = rest.split_at_checked(length.count())?;
    Some((name, behind.strip_prefix(b":]")?))
}

/// Whether a byte is of a named class in the locale C; `None` if there is no such
/// class.
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

/// The first byte of a class, and what follows it. `None` at its end.
fn literal(class: &[u8]) -> Option<(u8, &[u8])> {
    match class {
        [b'[', b'.', byte, b'.', b']', behind @ ..]
        | [b'[', b'=', byte, b'=', b']', behind @ ..]
        | [b'\\', byte, behind @ ..]
        | [byte, behind @ ..] => Some((*byte, behind)),
        [] => None,
    }
}

/// What a pattern is looked up in.
pub(crate) trait Listing {
    /// The names in a directory; none if it is no directory.
    fn names(&self, directory: &[u8]) -> Result<Vec<Vec<u8>>, LoadError>;

    /// Whether there is something of this name.
    fn exists(&self, path: &[u8]) -> bool;
}

/// The directories of this machine.
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

/// The existing paths that a pattern stands for, sorted.
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

    /// As bash's and glob(3)'s patterns.
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
