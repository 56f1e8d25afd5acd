//! The rules of both formats, checked by a separate parser.

use std::collections::{BTreeMap, BTreeSet};

use fantail_exposition::Format;

/// A sample: its name, its labels in order, its number as text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) number: String,
}

impl Sample {
    fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A family: its type and samples.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

/// Parses an answer and checks all rules; returns the families by name.
#[track_caller]
pub(crate) fn read(text: &str, format: Format) -> BTreeMap<String, Block> {
    let mut families: BTreeMap<String, Block> = BTreeMap::new();
    let mut current = String::new();
    let body = text.strip_suffix("# EOF\n").unwrap();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _) = rest.split_once(' ').unwrap();
            assert!(!families.contains_key(name), "{name} comes twice");
            current = name.to_owned();
            families.insert(current.clone(), Block::default());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current);
            families.get_mut(name).unwrap().kind = kind.to_owned();
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').unwrap();
            assert_eq!(format, Format::OpenMetrics);
            assert!(name.ends_with(&format!("_{unit}")), "{line}");
        } else {
            families
                .get_mut(&current)
                .unwrap()
                .samples
                .push(sample(line));
        }
    }
    let mut names = BTreeSet::new();
    for (name, family) in &families {
        check_family(name, family, format);
        for sample in &family.samples {
            assert!(
                names.insert(format!("{:?} {:?}", sample.name, sample.labels)),
                "{sample:?} twice"
            );
        }
    }
    families
}

fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
    assert!(is_name(name), "{line}");
    let mut labels = Vec::new();
    let mut rest = rest;
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"").unwrap();
            assert!(is_name(key) && !key.contains(':'), "{line}");
            let (value, after) = unescape(after);
            assert!(labels.iter().all(|(other, _)| other != key), "{line}");
            labels.push((key.to_owned(), value));
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let number = rest.strip_prefix(' ').unwrap();
    number.parse::<f64>().unwrap();
    Sample {
        name: name.to_owned(),
        labels,
        number: number.to_owned(),
    }
}

/// Returns the value up to its closing quote, and the rest.
fn unescape(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                other => panic!("\\{other} is no escape"),
            }),
            other => value.push(other),
        }
    }
    panic!("no end of {text:?}");
}

fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[track_caller]
fn check_family(name: &str, family: &Block, format: Format) {
    let open = format == Format::OpenMetrics;
    let suffixes: &[&str] = match (&*family.kind, open) {
        ("counter", true) => &["_total", "_created"],
        ("info", true) => &["_info"],
        ("histogram", true) => &["_bucket", "_sum", "_count", "_created"],
        ("histogram", false) => &["_bucket", "_sum", "_count"],
        ("counter" | "gauge", _) => &[""],
        (kind, _) => panic!("{name} is a {kind}"),
    };
    for sample in &family.samples {
        let suffix = sample.name.strip_prefix(name).unwrap();
        assert!(suffixes.contains(&suffix), "{sample:?} of {name}");
    }
    if family.kind == "counter" && !open {
        assert!(name.ends_with("_total"), "{name}");
    }
    if family.kind == "histogram" {
        check_histogram(name, family);
    }
}

/// Checks histograms in a row, each with rising bounds and counts.
#[track_caller]
fn check_histogram(name: &str, family: &Block) {
    let labels = |sample: &Sample| -> Vec<(String, String)> {
        let labels = sample.labels.iter().filter(|(key, _)| key != "le");
        labels.cloned().collect()
    };
    let mut seen = Vec::new();
    for group in family.samples.chunk_by(|a, b| labels(a) == labels(b)) {
        let of = labels(&group[0]);
        assert!(!seen.contains(&of), "{name}{of:?} is in two parts");
        seen.push(of);
        let buckets: Vec<(f64, u64)> = group
            .iter()
            .filter_map(|sample| {
                let bound = sample.label("le")?.parse().unwrap();
                Some((bound, sample.number.parse().unwrap()))
            })
            .collect();
        assert!(
            buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
            "{name} {buckets:?}"
        );
        let (bound, total) = *buckets.last().unwrap();
        assert_eq!(bound, f64::INFINITY, "{name}");
        let count = group.iter().find(|sample| sample.name.ends_with("_count"));
        if let Some(count) = count {
            assert_eq!(count.number, total.to_string());
        }
        let sums = group
            .iter()
            .filter(|sample| sample.name.ends_with("_sum"))
            .count();
        assert!(sums <= 1);
    }
}
