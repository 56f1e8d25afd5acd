//! Comparing texts by lines.

/// Returns the lines of a text, escaped.
pub(crate) fn lines(bytes: &[u8]) -> Vec<String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| line.escape_ascii().to_string()).collect()
}

/// Compares lines, and shows only those that differ.
#[track_caller]
pub(crate) fn assert_same_lines(name: &str, got: &[String], expected: &[String]) {
    let longest = got.len().max(expected.len());
    let differ = (0..longest).filter(|at| got.get(*at) != expected.get(*at));
    let shown: Vec<String> = differ
        .take(10)
        .map(|at| {
            format!(
                "got      {:?}\nexpected {:?}\n",
                got.get(at),
                expected.get(at)
            )
        })
        .collect();
    assert!(shown.is_empty(), "{name}\n{}", shown.concat());
}
