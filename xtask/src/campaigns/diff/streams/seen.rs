//! What a server was seen to do, without what may differ.

use std::collections::BTreeMap;

use serde_json::Value;

/// The request for the lines that a stats-writer socket greets with.
pub(super) const GREETING: &str = "GREETING";

/// The values of a dump. With at most 480 values of a field, Dovecot's are exact.
pub(super) const DUMPED: &str = "\tcount\tsum\tmin\tmax\tavg\tmedian\tvariance\t%95\t%50";

/// The results of a case on one server.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Requests with the lines of their answers.
    pub(super) answers: Vec<(String, Vec<Vec<u8>>)>,
    /// The lines of exporters.
    pub(super) exports: Vec<Vec<u8>>,
}

impl Seen {
    /// Adds the answer to a request.
    pub(super) fn add(&mut self, request: &str, answer: &[u8]) {
        let mut lines = lines(answer);
        if request.starts_with("METRICS-") {
            // The words of an error differ.
            for line in &mut lines {
                line.truncate(1);
            }
        }
        lines.retain(|line| !is_about_the_process(line));
        self.answers.push((request.to_owned(), lines));
    }

    /// Adds what a log has of exporters: `Nov 22 10:26:05 stats: Info: <line>`.
    pub(super) fn add_exports(&mut self, log: &[u8]) {
        const MARK: &[u8] = b" stats: Info: ";
        for line in lines(log) {
            let at = line.windows(MARK.len()).position(|bytes| bytes == MARK);
            // After the date: what is exported may have these words, too.
            if let Some(at) = at.filter(|at| *at <= 15) {
                let export = line.get(at + MARK.len()..).unwrap_or_default();
                self.exports.push(comparable_export(export));
            }
        }
    }

    /// Sorts what comes in no order from several workers.
    pub(super) fn sort(&mut self) {
        for (_, lines) in &mut self.answers {
            lines.sort_unstable();
        }
        self.exports.sort_unstable();
    }

    /// Returns the first difference.
    pub(super) fn difference(&self, ours: &Self) -> Option<String> {
        for ((request, theirs), (_, ours)) in self.answers.iter().zip(&ours.answers) {
            if request == GREETING && is_written_otherwise(&theirs.concat(), &ours.concat()) {
                continue;
            }
            let is_same = match request.ends_with(DUMPED) {
                true => is_same_row,
                false => is_same_line,
            };
            if let Some(line) = first_difference(theirs, ours, is_same) {
                return Some(format!("{}: {line}", request.escape_debug()));
            }
        }
        let line = first_difference(&self.exports, &ours.exports, is_same_line)?;
        Some(format!("exports: {line}"))
    }
}

/// Returns whether a greeting is one of those whose filters do not mean the same when
/// Dovecot's text of them is read back. fantail writes them with more backslashes, and
/// files with their line.
fn is_written_otherwise(theirs: &[u8], ours: &[u8]) -> bool {
    let has_backslash = theirs.contains(&b'\\') || ours.contains(&b'\\');
    has_backslash || ours.windows(3).any(|bytes| bytes == b":0\"")
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    match text.is_empty() {
        true => Vec::new(),
        false => text
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect(),
    }
}

fn is_same_line(theirs: &[u8], ours: &[u8]) -> bool {
    theirs == ours
}

/// Compares the rows of a dump. Dovecot's variance has the rounding errors of its sums.
fn is_same_row(theirs: &[u8], ours: &[u8]) -> bool {
    let cells = |row: &[u8]| -> Vec<Vec<u8>> {
        let cells = row.split(|byte| *byte == b'\t');
        cells.map(<[u8]>::to_vec).collect()
    };
    let number = |cell: &[u8]| std::str::from_utf8(cell).ok()?.parse::<f64>().ok();
    let (theirs, ours) = (cells(theirs), cells(ours));
    theirs.len() == ours.len()
        && theirs
            .iter()
            .zip(&ours)
            .enumerate()
            .all(|(at, (one, other))| {
                // A field has its name and nine values; that of durations is the metric's.
                let is_variance = at % 10 == 7;
                let is_near = match (number(one), number(other)) {
                    (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one,
                    _ => false,
                };
                one == other || (is_variance && is_near)
            })
}

fn first_difference(
    theirs: &[Vec<u8>],
    ours: &[Vec<u8>],
    is_same: fn(&[u8], &[u8]) -> bool,
) -> Option<String> {
    let count = theirs.len().max(ours.len());
    let at = (0..count).find(|at| match (theirs.get(*at), ours.get(*at)) {
        (Some(one), Some(other)) => !is_same(one, other),
        _ => true,
    })?;
    let shown = |lines: &[Vec<u8>]| match lines.get(at) {
        Some(line) => line.escape_ascii().to_string(),
        None => "(no line)".to_owned(),
    };
    Some(format!(
        "line {} of {} and {}\n  Dovecot: {}\n  fantail: {}",
        at + 1,
        theirs.len(),
        ours.len(),
        shown(theirs),
        shown(ours)
    ))
}

/// Returns whether a line of a scrape is about the process that answers.
fn is_about_the_process(line: &[u8]) -> bool {
    line.starts_with(b"process_start_time_seconds ") || line.starts_with(b"dovecot_build_info{")
}

/// Returns an exported line without the time of its export, and with its categories
/// in order: Dovecot's is that of a hash table.
fn comparable_export(line: &[u8]) -> Vec<u8> {
    if line.first() == Some(&b'{')
        && let Ok(mut object) = serde_json::from_slice::<BTreeMap<String, Value>>(line)
    {
        // The text of the fields, in the order of the line.
        let fields = line.windows(9).position(|bytes| bytes == b"\"fields\":");
        let fields = fields.and_then(|at| line.get(at..)).unwrap_or_default();
        object.remove("end_time");
        object.remove("fields");
        if let Some(Value::Array(categories)) = object.get_mut("categories") {
            categories.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        // In the order of the names: a map of JSON may have any order.
        let head = Value::from_iter(object).to_string();
        return [head.as_bytes(), fields].concat();
    }
    let is_category = |part: &&[u8]| part.starts_with(b"category:");
    let parts: Vec<&[u8]> = line
        .split(|byte| *byte == b'\t')
        .filter(|part| !part.starts_with(b"end_time:"))
        .collect();
    let mut categories: Vec<&[u8]> = parts.iter().copied().filter(is_category).collect();
    categories.sort_unstable();
    let mut categories = categories.into_iter();
    let sorted: Vec<&[u8]> = parts
        .iter()
        .map(|part| match is_category(part) {
            true => categories.next().unwrap_or_default(),
            false => part,
        })
        .collect();
    sorted.join(&b'\t')
}

#[cfg(test)]
mod tests {
    use super::{comparable_export, is_same_row};

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let comparable = comparable_export(line.as_bytes());
        assert_eq!(comparable.escape_ascii().to_string(), expected);
    }

    #[test]
    fn only_the_variance_may_have_rounding_errors() {
        let row = |avg: &str, variance: &str| {
            format!("m\t3\t9\t0\t9\t{avg}\t0\t{variance}\t9\t0").into_bytes()
        };
        let near = row("3.00", "70054246369605.55");
        assert!(is_same_row(&row("3.00", "70054246369605.54"), &near));
        assert!(!is_same_row(&row("3.01", "70054246369605.55"), &near));
        assert!(!is_same_row(&row("3.00", "70054246000000.00"), &near));
    }

    #[test]
    fn what_may_differ_is_taken_out_and_nothing_else() {
        check(
            "event:x\tend_time:1\tcategory:b\tcategory:a\tfield:a=1",
            r"event:x\tcategory:a\tcategory:b\tfield:a=1",
        );
        check("", "");
        check("event:x\t", r"event:x\t");
        check(
            r#"{"event":"x","end_time":1,"categories":["b","a"],"fields":{"z":1,"a":2}}"#,
            r#"{\"categories\":[\"a\",\"b\"],\"event\":\"x\"}\"fields\":{\"z\":1,\"a\":2}}"#,
        );
    }
}
