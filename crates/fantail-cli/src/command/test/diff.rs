//! The difference between the expected and the written output of an exporter.

/// The maximum number of compared parts; longer texts are shown without a
/// comparison.
const MAX_COMPARED_PARTS: usize = 500;

/// The difference between two texts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Diff {
    /// The parts of a line, or whole lines, in the order of the text.
    pub(super) rows: Vec<(Side, Vec<u8>)>,
    pub(super) expected: Vec<Vec<u8>>,
    pub(super) written: Vec<Vec<u8>>,
}

/// The text that contains a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    Expected,
    Written,
}

impl Side {
    /// Returns the mark of a part.
    pub(super) const fn mark(self) -> char {
        match self {
            Self::Both => ' ',
            Self::Expected => '-',
            Self::Written => '+',
        }
    }
}

/// Returns the difference between lines; `None` if they are equal.
///
/// In tab-text, a blank in the expected text is also equal to a TAB, because
/// people cannot see the difference.
pub(super) fn compare(expected: &[&[u8]], written: &[&[u8]], tab_text: bool) -> Option<Diff> {
    let shown = |byte: &u8| if *byte == b'\t' { b' ' } else { *byte };
    let same =
        |a: &[u8], b: &[u8]| a == b || tab_text && a.iter().map(shown).eq(b.iter().map(shown));
    let pairs = expected.iter().zip(written);
    if expected.len() == written.len() && pairs.clone().all(|(a, b)| same(a, b)) {
        return None;
    }
    let rows = match (expected, written) {
        ([expected], [written]) => {
            let (expected, written) = (parts(expected, tab_text), parts(written, tab_text));
            rows(&expected, &written, &same)
        }
        _ => rows(expected, written, &same),
    };
    let owned = |lines: &[&[u8]]| lines.iter().map(|line| line.to_vec()).collect();
    Some(Diff {
        rows,
        expected: owned(expected),
        written: owned(written),
    })
}

fn parts(line: &[u8], tab_text: bool) -> Vec<&[u8]> {
    if tab_text {
        line.split(|byte| matches!(byte, b'\t' | b' ')).collect()
    } else {
        line.split_inclusive(|byte| *byte == b',').collect()
    }
}

/// Returns the longest common subsequence, and the parts around it.
fn rows(
    expected: &[&[u8]],
    written: &[&[u8]],
    same: &dyn Fn(&[u8], &[u8]) -> bool,
) -> Vec<(Side, Vec<u8>)> {
    let mut rows = Vec::new();
    let (mut i, mut j) = (0, 0);
    if expected.len() <= MAX_COMPARED_PARTS && written.len() <= MAX_COMPARED_PARTS {
        let common = Common::new(expected, written, same);
        while let (Some(a), Some(b)) = (expected.get(i), written.get(j)) {
            if same(a, b) {
                rows.push((Side::Both, b.to_vec()));
                (i, j) = (i + 1, j + 1);
            } else if common.after(i + 1, j) >= common.after(i, j + 1) {
                rows.push((Side::Expected, a.to_vec()));
                i += 1;
            } else {
                rows.push((Side::Written, b.to_vec()));
                j += 1;
            }
        }
    }
    let rest = expected.iter().skip(i);
    rows.extend(rest.map(|part| (Side::Expected, part.to_vec())));
    let rest = written.iter().skip(j);
    rows.extend(rest.map(|part| (Side::Written, part.to_vec())));
    rows
}

/// The numbers of parts that the remainders of two lists have in common, in
/// order.
struct Common {
    lengths: Vec<usize>,
    width: usize,
}

impl Common {
    fn new(a: &[&[u8]], b: &[&[u8]], same: &dyn Fn(&[u8], &[u8]) -> bool) -> Self {
        let width = b.len() + 1;
        let mut common = Self {
            lengths: vec![0; (a.len() + 1) * width],
            width,
        };
        for (i, x) in a.iter().enumerate().rev() {
            for (j, y) in b.iter().enumerate().rev() {
                let length = if same(x, y) {
                    common.after(i + 1, j + 1) + 1
                } else {
                    common.after(i + 1, j).max(common.after(i, j + 1))
                };
                if let Some(place) = common.lengths.get_mut(i * width + j) {
                    *place = length;
                }
            }
        }
        common
    }

    fn after(&self, i: usize, j: usize) -> usize {
        let length = self.lengths.get(i * self.width + j);
        length.copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &[&str], written: &[&str], tab_text: bool, rows: &[&str]) {
        let expected: Vec<&[u8]> = expected.iter().map(|line| line.as_bytes()).collect();
        let written: Vec<&[u8]> = written.iter().map(|line| line.as_bytes()).collect();
        let got = compare(&expected, &written, tab_text).map(|diff| {
            let rows = diff.rows.iter();
            let rows = rows.map(|(side, part)| format!("{}{}", side.mark(), part.escape_ascii()));
            rows.collect::<Vec<_>>()
        });
        assert_eq!(got.unwrap_or_default(), rows);
    }

    #[test]
    fn parts_of_a_line() {
        check(&["a b c"], &["a\tb\tc"], true, &[]);
        check(&["a b"], &["a\tb"], false, &["-a b", "+a\\tb"]);
        check(&["a b c"], &["a\tx\tc"], true, &[" a", "-b", "+x", " c"]);
        check(&["a b"], &["b\tc"], true, &["-a", " b", "+c"]);
        let rows = [" {\\\"a\\\":1,", "-\\\"b\\\":2}", "+\\\"b\\\":3}"];
        check(&["{\"a\":1,\"b\":2}"], &["{\"a\":1,\"b\":3}"], false, &rows);
    }

    #[test]
    fn lines() {
        check(&[], &[], true, &[]);
        check(&[], &["a b"], true, &["+a b"]);
        check(&["a b"], &[], true, &["-a b"]);
        check(&["a", "b"], &["b", "c"], true, &["-a", " b", "+c"]);
        check(&["a", "b"], &["a", "b"], true, &[]);
        let rows: Vec<&str> = std::iter::repeat_n("-a", 501).chain(["+a"]).collect();
        check(&["a"; 501], &["a"], true, &rows);
    }
}
