//! Units of time intervals, as settings and the filters of 2.4 name them.

/// Words whose beginnings are units, with their length in milliseconds. The
/// first word that fits counts: `m` and `mi` are minutes.
const UNITS: [(&str, u32); 11] = [
    ("mins", 60_000),
    ("minutes", 60_000),
    ("msecs", 1),
    ("mseconds", 1),
    ("millisecs", 1),
    ("milliseconds", 1),
    ("secs", 1_000),
    ("seconds", 1_000),
    ("hours", 3_600_000),
    ("days", 86_400_000),
    ("weeks", 604_800_000),
];

/// Returns the milliseconds of a unit, given as the beginning of its name in
/// any letter case; `None` for an unknown one.
#[must_use]
pub fn unit_milliseconds(unit: &[u8]) -> Option<u32> {
    let begins_with = |word: &[u8]| {
        let start = word.get(..unit.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(unit))
    };
    let mut units = UNITS.iter();
    let found = units.find(|(word, _)| begins_with(word.as_bytes()));
    found.map(|(_, milliseconds)| *milliseconds)
}
