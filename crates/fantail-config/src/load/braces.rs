//! Braces in file name patterns: the alternatives of `a{b,c}d` are `abd` and
//! `acd`.

use crate::load::loader::{LoadError, LoadErrorKind, Loader};

/// The maximum number of alternatives of a pattern.
const MAX_ALTERNATIVES: usize = 1_000;

/// The maximum length of a pattern in bytes: the longest path of Linux.
const MAX_BRACE_PATTERN_BYTES: usize = 4_096;

/// The maximum number of braces of a pattern. Each takes time in proportion to
/// the pattern.
const MAX_BRACES: usize = 100;

/// Returns the files that a pattern includes: those of each of its
/// alternatives, in order.
pub(crate) fn included(loader: &dyn Loader, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
    let mut paths = Vec::new();
    for one in alternatives(pattern)? {
        paths.extend(loader.expand(&one)?);
    }
    Ok(paths)
}

/// Returns the alternatives of a pattern like `a{b,c}d`, in order: `abd`,
/// `acd`. A brace that is not closed is an ordinary byte.
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

/// Returns the pattern with its first braces replaced by each of their parts;
/// `None` if it has no closed braces.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_alternatives(pattern: &str, expected: &[&str]) {
        let found = alternatives(pattern.as_bytes()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| String::from_utf8_lossy(one))
            .collect();
        assert_eq!(found, expected, "{pattern}");
    }

    /// The doveconf of 2.3.19 and 2.4.1 includes them in this order.
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
}
