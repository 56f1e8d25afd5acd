//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, and `\` before any
//! byte.
//!
//! As glob(3) does: a leading dot is matched only by a dot, `/` never by a
//! wildcard. The matcher remembers one star to go back to, so that no pattern
//! takes more than quadratic time.

use crate::load::loader::{LoadError, LoadErrorKind, Loader, to_path};

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

/// The first byte of a class, and what follows it. `None` at its end.
fn literal(class: &[u8]) -> Option<(u8, &[u8])> {
    match class {
        [b'\\', byte, behind @ ..] | [byte, behind @ ..] => Some((*byte, behind)),
        [] => None,
    }
}

/// Patterns that one with braces may stand for.
const MAX_ALTERNATIVES: usize = 1_000;

/// Bytes of a pattern with braces: the longest path of Linux.
const MAX_BRACE_PATTERN_BYTES: usize = 4_096;

/// Braces of a pattern. Each takes time in proportion to the pattern.
const MAX_BRACES: usize = 100;

/// The files that a pattern includes: those of each of its alternatives, in order.
pub(crate) fn included(loader: &dyn Loader, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
    let mut paths = Vec::new();
    for one in alternatives(pattern)? {
        paths.extend(loader.expand(&one)?);
    }
    Ok(paths)
}

/// The patterns without braces that `a{b,c}d` stands for, in order: `abd`, `acd`. A
/// brace that is not closed is a byte like others.
fn alternatives(pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
    let too_many = || {
        let message = "the braces of the pattern stand for too many patterns";
        LoadError::new(LoadErrorKind::TooLarge, message)
    };
    let braces = pattern.iter().filter(|byte| **byte == b'{').count();
    if braces > MAX_BRACES || (braces > 0 && pattern.len() > MAX_BRACE_PATTERN_BYTES) {
        return Err(too_many());
    }
    let mut found = Vec::new();
    let mut open = vec![pattern.to_vec()];
    while let Some(pattern) = open.pop() {
        let Some(parts) = without_first_braces(&pattern) else {
            found.push(pattern);
            continue;
        };
        open.extend(parts.into_iter().rev());
        if found.len() + open.len() > MAX_ALTERNATIVES {
            return Err(too_many());
        }
    }
    Ok(found)
}

/// The pattern with each of the parts of its first braces in place of them. `None` if
/// it has no braces that are closed.
fn without_first_braces(pattern: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut begin = None;
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match (byte, begin) {
            (b'\\', _) => at += 1,
            (b'{', None) => begin = Some((at, at + 1)),
            (b'{', Some(_)) => depth += 1,
            (b'}', Some((open, part))) if depth == 0 => {
                parts.push(pattern.get(part..at)?);
                let (before, after) = (pattern.get(..open)?, pattern.get(at + 1..)?);
                let parts = parts.iter().map(|part| [before, part, after].concat());
                return Some(parts.collect());
            }
            (b'}', Some(_)) => depth -= 1,
            (b',', Some((open, part))) if depth == 0 => {
                parts.push(pattern.get(part..at)?);
                begin = Some((open, at + 1));
            }
            _ => {}
        }
        at += 1;
    }
    None
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
    }

    #[test]
    fn long_names_take_no_time() {
        let pattern = "*a".repeat(200);
        check(&pattern, &"a".repeat(20_000), true);
        check(&format!("{pattern}b"), &"a".repeat(20_000), false);
    }

    #[track_caller]
    fn check_alternatives(pattern: &str, expected: &[&str]) {
        let found = alternatives(pattern.as_bytes()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| String::from_utf8_lossy(one))
            .collect();
        assert_eq!(found, expected, "{pattern}");
    }

    /// As the doveconf of 2.3.19 and 2.4.1 includes them.
    #[test]
    fn braces_stand_for_each_of_their_parts() {
        check_alternatives("{b,a}.conf", &["b.conf", "a.conf"]);
        check_alternatives("a{,b}.conf", &["a.conf", "ab.conf"]);
        check_alternatives("{a,{b,c}}", &["a", "b", "c"]);
        check_alternatives("{a,b}.{c,d}", &["a.c", "a.d", "b.c", "b.d"]);
        check_alternatives("{}a{b}", &["ab"]);
        check_alternatives("{a,b", &["{a,b"]);
        check_alternatives("a}", &["a}"]);
        check_alternatives("\\{a,b}", &["\\{a,b}"]);
        check_alternatives("{x\\,y,z}", &["x\\,y", "z"]);
        for many in [
            "{a,b}".repeat(12),
            "{}".repeat(101),
            format!("{{{}}}", "a".repeat(4_095)),
        ] {
            assert!(alternatives(many.as_bytes()).is_err(), "{many}");
        }
        check_alternatives(&"{".repeat(100), &[&"{".repeat(100)]);
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
