//! What a peer counted, in one form for all of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;

/// Events by the name of the count and the values of its groups, joined by `|`.
pub(super) type Counted = BTreeMap<String, u64>;

/// The fields that each count is grouped by.
pub(super) type Groups<'b> = BTreeMap<&'b str, Vec<&'b str>>;

/// Reads a scrape of Dovecot, fantail or mtail.
///
/// Samples with fewer labels than `groups` has are sums over groups.
pub(super) fn of_scrape(text: &str, groups: &Groups<'_>) -> Result<Counted, Error> {
    let mut counted = Counted::new();
    for line in text.lines() {
        let Some((sample, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let Some((name, labels)) = sample.split_once('{') else {
            continue;
        };
        let name = name.strip_prefix("dovecot_").unwrap_or(name);
        let name = name.strip_suffix("_total").unwrap_or(name);
        let Some(fields) = groups.get(name) else {
            continue;
        };
        // mtail has labels in the order of their names, and one of its own.
        let labels: BTreeMap<&str, &str> = labels
            .trim_end_matches('}')
            .split("\",")
            .filter_map(|label| label.split_once("=\""))
            .collect();
        let values: Option<Vec<&str>> = fields
            .iter()
            .map(|field| labels.get(field).map(|value| value.trim_end_matches('"')))
            .collect();
        if let Some(values) = values {
            counted.insert(format!("{name}|{}", values.join("|")), number(value, line)?);
        }
    }
    Ok(counted)
}

/// Reads the file of rsyslog's `impstats`: the last state of each `dyn_stats`.
pub(super) fn of_impstats(text: &str) -> Result<Counted, Error> {
    let mut counted = Counted::new();
    for line in text
        .lines()
        .filter(|line| line.contains("\"dynstats.bucket\""))
    {
        let wrong = || Error::new(format!("impstats: unexpected line: {line}"));
        let json = line
            .split_once("{ ")
            .map(|(_, rest)| format!("{{{rest}"))
            .ok_or_else(wrong)?;
        let bucket: Value = serde_json::from_str(&json).map_err(|_| wrong())?;
        let name = bucket["name"].as_str().ok_or_else(wrong)?;
        for (group, count) in bucket["values"].as_object().ok_or_else(wrong)? {
            let count = count.as_u64().ok_or_else(wrong)?;
            counted.insert(format!("{name}|{group}"), count);
        }
    }
    Ok(counted)
}

/// Reads lines of `COUNT KEY`, and adds up the counts of each key.
pub(super) fn of_partial_counts(text: &str) -> Result<Counted, Error> {
    let mut counted = Counted::new();
    for line in text.lines() {
        let (count, key) = line
            .split_once(' ')
            .ok_or_else(|| Error::new(format!("syslog-ng: unexpected line: {line}")))?;
        *counted.entry(key.to_owned()).or_default() += number(count, line)?;
    }
    Ok(counted)
}

fn number(text: &str, line: &str) -> Result<u64, Error> {
    text.parse()
        .map_err(|error| Error::caused(format!("no count in: {line}"), error))
}

/// Returns what each count of some blocks of Dovecot 2.3 is grouped by.
pub(super) fn groups(blocks: &str) -> Groups<'_> {
    let mut groups = Groups::new();
    let mut name = "";
    for line in blocks.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("metric ") {
            name = rest.trim_end_matches(" {");
        } else if let Some(fields) = line.strip_prefix("group_by = ") {
            groups.insert(name, fields.split(' ').collect());
        }
    }
    groups
}

/// Returns how `other` differs from `expected`, by the first different count.
pub(super) fn difference(expected: &Counted, other: &Counted) -> Option<String> {
    let keys = expected.keys().chain(other.keys());
    keys.map(|key| (key, expected.get(key), other.get(key)))
        .find(|(_, expected, other)| expected != other)
        .map(|(key, expected, other)| {
            let text = |count: Option<&u64>| count.map_or("nothing".to_owned(), u64::to_string);
            format!("{key}: {} instead of {}", text(other), text(expected))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counted: Result<Counted, Error>, expected: &[(&str, u64)]) {
        let counted = counted.unwrap();
        let counted: Vec<_> = counted.iter().map(|(key, n)| (key.as_str(), *n)).collect();
        assert_eq!(counted, expected);
    }

    const BLOCKS: &str = "metric a {\n  filter = event=x\n  group_by = u v\n}\n\
         metric b {\n  filter = event=x\n  group_by = u\n}\n\
         metric c {\n  filter = event=x\n  group_by = v u\n}\n";

    #[test]
    fn a_scrape_of_dovecot_has_sums_that_are_no_counts() {
        let text = "# TYPE dovecot_a counter\ndovecot_a_total 5\ndovecot_a_total{u=\"1\"} 5\n\
             dovecot_a_total{u=\"1\",v=\"x y, z\"} 3\ndovecot_a_total{u=\"1\",v=\"w\"} 2\n\
             dovecot_a_duration_seconds_total{u=\"1\",v=\"w\"} 0.2\n";
        check(
            of_scrape(text, &groups(BLOCKS)),
            &[("a|1|w", 2), ("a|1|x y, z", 3)],
        );
    }

    #[test]
    fn labels_of_mtail_are_taken_by_their_names() {
        let text = "c{prog=\"counts.mtail\",u=\"1\",v=\"2\"} 4\ngo_info{version=\"go1.19.8\"} 1\n";
        check(of_scrape(text, &groups(BLOCKS)), &[("c|2|1", 4)]);
    }

    #[test]
    fn the_last_line_of_impstats_is_the_count() {
        let line = |count| {
            format!(
                "Mon Nov 30 19:42:23 2026: {{ \"name\": \"b\", \"origin\": \"dynstats.bucket\", \
                 \"values\": {{ \"x y\": {count} }} }}\n"
            )
        };
        check(of_impstats(&(line(1) + &line(4))), &[("b|x y", 4)]);
    }

    #[test]
    fn partial_counts_of_syslog_ng_add_up() {
        let text = "1000 a|x y|z\n1 b|x\n250 a|x y|z\n";
        check(of_partial_counts(text), &[("a|x y|z", 1250), ("b|x", 1)]);
    }

    #[test]
    fn a_difference_names_a_count_that_either_lacks() {
        let of = |text| of_partial_counts(text).unwrap();
        let compare = |other| difference(&of("1 a|x\n2 b|x\n"), &of(other));
        assert_eq!(compare("2 b|x\n1 a|x\n"), None);
        assert_eq!(
            compare("1 a|x\n").as_deref(),
            Some("b|x: nothing instead of 2")
        );
        assert_eq!(
            compare("1 a|x\n2 b|x\n3 c\n").as_deref(),
            Some("c: 3 instead of nothing")
        );
    }
}
