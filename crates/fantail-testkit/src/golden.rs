//! Comparison of a replay with the output of a real stats process.
//!
//! End times differ (the real process wrote the time of playing), and the order
//! of an event's categories there is that of a hash table. For a distribution
//! with more than 480 values the real process estimates median, percentiles and
//! deviation from a random sample. All else must be equal.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "for tests: what is no golden file must fail"
)]

use std::fmt;

use serde_json::{Map, Value};

/// The number of values that a real distribution keeps.
pub const SAMPLE: u64 = 480;

/// Returns an exported line without the parts that may differ.
///
/// # Panics
/// Panics if a line that begins with `{` is not a JSON object.
#[must_use]
pub fn normalized_export(line: &[u8]) -> Vec<u8> {
    if line.first() == Some(&b'{') {
        normalized_json(line)
    } else {
        normalized_tab_text(line)
    }
}

fn normalized_json(line: &[u8]) -> Vec<u8> {
    let mut object: Map<String, Value> = serde_json::from_slice(line)
        .unwrap_or_else(|error| panic!("no JSON: {error}: {}", line.escape_ascii()));
    // Removes the key without changing the order of the others.
    object.shift_remove("end_time");
    if let Some(Value::Array(categories)) = object.get_mut("categories") {
        categories.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    serde_json::to_vec(&object).expect("an object is always JSON")
}

fn normalized_tab_text(line: &[u8]) -> Vec<u8> {
    let is_category = |part: &&[u8]| part.starts_with(b"category:");
    let parts: Vec<&[u8]> = line
        .split(|&b| b == b'\t')
        .filter(|part| !part.starts_with(b"end_time:"))
        .collect();
    let mut categories: Vec<&[u8]> = parts.iter().copied().filter(is_category).collect();
    categories.sort_unstable();
    let mut categories = categories.into_iter();
    let sorted = parts.iter().map(|part| {
        if is_category(part) {
            categories.next().expect("as many as before")
        } else {
            part
        }
    });
    sorted.collect::<Vec<_>>().join(&b'\t')
}

/// Returns the lines of a text that ends with LF.
#[must_use]
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        Vec::new()
    } else {
        text.split(|&b| b == b'\n').collect()
    }
}

/// The first difference between two outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(String);

impl Difference {
    fn of_count(what: &str, expected: usize, got: usize) -> Self {
        Self(format!("expected {expected} {what}, got {got}"))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Difference {}

/// Compares exported lines, in order.
///
/// # Errors
/// Returns the first line that differs, or the numbers of lines.
pub fn compare_exports(expected: &[u8], got: &[u8]) -> Result<(), Difference> {
    let (expected, got) = (lines(expected), lines(got));
    for (number, (expected, got)) in expected.iter().zip(&got).enumerate() {
        let (expected, got) = (normalized_export(expected), normalized_export(got));
        if expected != got {
            return Err(Difference(format!(
                "line {} differs\nexpected {}\n     got {}",
                number + 1,
                expected.escape_ascii(),
                got.escape_ascii()
            )));
        }
    }
    if expected.len() == got.len() {
        return Ok(());
    }
    Err(Difference::of_count("lines", expected.len(), got.len()))
}

/// A row of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpRow {
    /// The metric or sub-metric.
    pub metric: String,
    /// The field.
    pub field: String,
    /// `count sum min max avg median stddev %95`, as printed.
    pub values: Vec<String>,
}

impl DumpRow {
    /// Returns the number of values.
    ///
    /// # Panics
    /// Panics if the first value is not a number.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.values[0].parse().expect("a count")
    }
}

/// Returns the rows of a dump without its heading.
///
/// # Panics
/// Panics if the text is not a dump.
#[must_use]
pub fn dump_rows(dump: &[u8]) -> Vec<DumpRow> {
    let text = std::str::from_utf8(dump).expect("a dump in UTF-8");
    let mut rows = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let heading: Vec<String> = rows.next().expect("a heading").collect();
    let columns = "metric_name field count sum min max avg median stddev %95";
    assert_eq!(heading, columns.split(' ').collect::<Vec<_>>());
    rows.map(|mut row| DumpRow {
        metric: row.next().expect("a metric"),
        field: row.next().expect("a field"),
        values: row.collect(),
    })
    .collect()
}

/// Compares dumps: the same rows in the same order, with all values equal; for
/// rows with more than [`SAMPLE`] values, without the sampled ones.
///
/// # Errors
/// Returns the first row that differs.
pub fn compare_dumps(expected: &[u8], got: &[u8]) -> Result<(), Difference> {
    let (expected, got) = (dump_rows(expected), dump_rows(got));
    for (expected, got) in expected.iter().zip(&got) {
        let exact = if expected.count() <= SAMPLE {
            expected.values.len()
        } else {
            5
        };
        let same = expected.metric == got.metric
            && expected.field == got.field
            && expected.values.len() == got.values.len()
            && expected.values[..exact] == got.values[..exact];
        if !same {
            return Err(Difference(format!(
                "a row differs\nexpected {expected:?}\n     got {got:?}"
            )));
        }
    }
    if expected.len() == got.len() {
        return Ok(());
    }
    Err(Difference::of_count("rows", expected.len(), got.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_differ_is_taken_out_and_nothing_else() {
        let same = |a: &str, b: &str| compare_exports(a.as_bytes(), b.as_bytes()).is_ok();
        assert!(same(
            "event:x\tend_time:1\tcategory:a\tcategory:b\n",
            "event:x\tend_time:2\tcategory:b\tcategory:a\n"
        ));
        assert!(!same("event:x\tcategory:a\n", "event:x\tcategory:b\n"));
        assert!(!same("a\nb\n", "b\na\n"));
        assert!(!same("a\n", "a\na\n"));
        assert!(same(
            r#"{"end_time":1,"categories":["a","b"]}"#,
            r#"{"end_time":2,"categories":["b","a"]}"#
        ));
        assert!(!same(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#));
    }

    #[test]
    fn only_sampled_values_may_differ() {
        let dump = |row: &str| {
            format!("metric_name\tfield\tcount\tsum\tmin\tmax\tavg\tmedian\tstddev\t%95\n{row}\n")
        };
        let same = |a: &str, b: &str| compare_dumps(dump(a).as_bytes(), dump(b).as_bytes()).is_ok();
        assert!(same(
            "m\tf\t481\t1\t1\t1\t1.00\t1\t1.00\t1",
            "m\tf\t481\t1\t1\t1\t1.00\t2\t2.00\t2"
        ));
        assert!(!same(
            "m\tf\t480\t1\t1\t1\t1.00\t1\t1.00\t1",
            "m\tf\t480\t1\t1\t1\t1.00\t2\t1.00\t1"
        ));
        assert!(!same(
            "m\tf\t481\t1\t1\t1\t1.00\t1\t1.00\t1",
            "m\tf\t481\t1\t1\t1\t1.01\t1\t1.00\t1"
        ));
        assert!(!same(
            "m\tf\t1\t1\t1\t1\t1.00\t1\t1.00\t1",
            "n\tf\t1\t1\t1\t1\t1.00\t1\t1.00\t1"
        ));
    }
}
