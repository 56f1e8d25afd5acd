//! Families: their kinds and the names of their samples.

use fantail_metrics::MetricSettings;

/// The kind of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Numbers that only grow; samples are named `NAME_total`.
    Counter,
    /// Numbers that grow and shrink.
    Gauge,
    /// Labels with the number 1; samples are named `NAME_info`.
    Info,
    /// Buckets with their sum and count.
    Histogram,
    /// Quantiles with their sum and count.
    Summary,
}

/// A family of samples.
#[derive(Debug, Clone, Copy)]
pub struct Family<'a> {
    /// The name, without a suffix.
    pub name: &'a str,
    /// The kind.
    pub kind: Kind,
    /// A description for people.
    pub help: &'a str,
    /// The unit, which must be the end of the name (`seconds`).
    pub unit: Option<&'a str>,
}

/// Returns a help text about a metric, with its description, if it has one.
pub(crate) fn help(before: &str, settings: &MetricSettings, after: &str) -> String {
    let name = String::from_utf8_lossy(&settings.name);
    let help = format!("{before} the metric {name}{after}");
    if settings.description.is_empty() {
        return help;
    }
    let description = String::from_utf8_lossy(&settings.description);
    format!("{help}: {description}")
}

/// Returns the name of a family and of all samples that it may have.
pub(crate) fn sample_names(family: &Family<'_>) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge => &[""],
        Kind::Info => &["", "_info"],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        Kind::Summary => &["", "_sum", "_count", "_created"],
    };
    let name = |suffix: &&str| [family.name, suffix].concat();
    suffixes.iter().map(name).collect()
}
