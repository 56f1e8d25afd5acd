//! Families: their kinds and the names that their samples have.

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They only grow; samples are called `NAME_total`.
    Counter,
    /// They go up and down.
    Gauge,
    /// Always 1, all is in the labels; samples are called `NAME_info`.
    Info,
    /// Buckets, their sum and count.
    Histogram,
}

/// A family of samples.
#[derive(Debug, Clone, Copy)]
pub struct Family<'a> {
    /// Its name, without a suffix.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// What it is, for people.
    pub help: &'a str,
    /// Its unit, which must be the end of its name (`seconds`).
    pub unit: Option<&'a str>,
}

/// The name of a family and of all samples that it can have.
pub(crate) fn sample_names(family: &Family<'_>) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge => &[""],
        Kind::Info => &["", "_info"],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
    };
    let name = |suffix: &&str| [family.name, suffix].concat();
    suffixes.iter().map(name).collect()
}
