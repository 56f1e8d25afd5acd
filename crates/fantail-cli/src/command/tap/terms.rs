//! The table of `tap --explain`: event counts for each term of a filter.

use std::fmt::Write as _;

use fantail::wire::reader::TermCounts;

/// Returns the table, followed by the reason why the filter matches no event.
pub(super) fn table(seen: u64, terms: &[TermCounts<'_>]) -> String {
    let count = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    let mut table = format!("{seen} events seen\n");
    if seen == 0 {
        return table;
    }
    table += "   meet it  all so far  only missing  term\n";
    for term in terms {
        let indent = 2 * usize::try_from(term.depth.min(20)).unwrap_or(0);
        let (passed, missed) = (count(term.passed), count(term.missed));
        let text = String::from_utf8_lossy(&term.text);
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{:>10}  {passed:>10}  {missed:>12}  {:indent$}{text}",
            term.held, ""
        );
    }
    if let Some(reason) = reason(seen, terms) {
        table += &reason;
    }
    table
}

/// Describes the first required term that no event meets together with those before it.
fn reason(seen: u64, terms: &[TermCounts<'_>]) -> Option<String> {
    let required = terms.iter().filter(|term| term.passed.is_some());
    let mut reached = seen;
    for term in required {
        let text = String::from_utf8_lossy(&term.text);
        match term.passed {
            Some(0) => {
                let near = match (term.missed, &*term.saw) {
                    (None | Some(0), _) => String::new(),
                    (Some(missed), b"") => format!("; {missed} miss only this"),
                    (Some(missed), saw) => {
                        let saw = String::from_utf8_lossy(saw);
                        format!("; {missed} miss only this, the last with {saw}")
                    }
                };
                return Some(format!(
                    "{reached} events reach `{text}`, none meets it{near}\n"
                ));
            }
            passed => reached = passed.unwrap_or(reached),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use fantail::wire::reader::{TapLine, TermCounts};

    fn terms(lines: &[&'static str]) -> Vec<TermCounts<'static>> {
        let parsed = lines.iter().map(|line| TapLine::parse(line.as_bytes()));
        let terms = parsed.map(|line| match line {
            Some(TapLine::Term(term)) => term,
            other => panic!("{other:?}"),
        });
        terms.collect()
    }

    #[test]
    fn the_term_that_loses_all_events_is_named() {
        let terms = terms(&[
            "TERM\t0\t0\t-\t-\tall of\t",
            "TERM\t1\t12\t12\t0\tevent=sent\t",
            "TERM\t1\t0\t0\t3\tuser=ana\t\"anna\"",
        ]);
        let expected = "\
40 events seen
   meet it  all so far  only missing  term
         0           -             -  all of
        12          12             0    event=sent
         0           0             3    user=ana
12 events reach `user=ana`, none meets it; 3 miss only this, the last with \"anna\"
";
        assert_eq!(super::table(40, &terms), expected);
        assert_eq!(super::table(0, &terms), "0 events seen\n");
    }
}
