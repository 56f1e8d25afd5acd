//! Dovecot's own layout of a scrape, byte for byte.
//!
//! Use it for dashboards that were made for it. It is valid in neither format:
//! a family has samples with all labels and samples with some, so that sums
//! count twice; labels may be equal; numbers are rounded to 32-bit floating
//! point; the `_sum` of a histogram is the sum of the durations, for any field.
//! 2.3 also leaves its walk through the sub-metrics unfinished if it begins at
//! a quantized level, or at a level with an illegal name; the rest appears in a
//! later family, and fantail does the same.
//!
//! Known differences: sums above 2⁶⁴ do not wrap; values of different types
//! with the same text are one series; and a label value is cut after 256 bytes,
//! even if Dovecot shows more of it.

pub(crate) mod labels;
mod tree;
mod walk;

use std::io::{self, Write as _};

use fantail_event::{Dialect, Timestamp};
use fantail_metrics::{Buckets, Distribution, Label, Snapshot};

use self::{tree::Tree, walk::Walk};
use crate::{
    scrape::histogram_of,
    text::{
        chunked_writer::ChunkedWriter,
        decimal::{push_fixed, push_whole, push_wide},
    },
};

/// The `Content-Type` of Dovecot's answers.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";

/// The process that the first lines describe.
///
/// ```
/// use fantail_event::{Dialect, Timestamp};
/// use fantail_exposition::dovecot::{Process, write};
/// use fantail_metrics::{MetricSettings, Registry};
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// registry.add(MetricSettings { name: b"logins".to_vec(), ..MetricSettings::default() })?;
/// let process = Process {
///     version: "2.4.1",
///     revision: None,
///     started: Timestamp::from_unix_micros(0),
/// };
/// let mut text = Vec::new();
/// write(&registry.snapshot(), &process, &mut text)?;
/// assert!(String::from_utf8(text)?.contains("dovecot_logins_total 0\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process<'a> {
    /// The time of its start.
    pub started: Timestamp,
    /// Its version.
    pub version: &'a str,
    /// Its revision, if known.
    pub revision: Option<&'a str>,
}

/// Writes a scrape like a Dovecot of the snapshot's dialect.
///
/// # Errors
/// Writing fails.
pub fn write(
    snapshot: &Snapshot,
    process: &Process<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut out = ChunkedWriter::new(out);
    write_process(process, out.text());
    let trees: Vec<Tree<'_>> = snapshot
        .exposed_metrics()
        .filter_map(|metric| Tree::new(metric, snapshot.dialect()))
        .collect();
    let mut walk = Walk::new(&trees);
    for (at, tree) in trees.iter().enumerate() {
        let settings = tree.metric.settings();
        let mut families = match histogram_of(settings) {
            Some(_) => vec![Family::Histogram],
            None => vec![Family::Count, Family::Duration],
        };
        if snapshot.dialect() == Dialect::V2_4 {
            families.extend((0..settings.fields.len()).map(Family::Field));
        }
        for family in families {
            write_family(family, at, &mut walk, &mut out)?;
            if snapshot.dialect() == Dialect::V2_4 {
                walk.forget();
            }
        }
    }
    out.text().extend_from_slice(b"# EOF\n");
    out.finish().map(drop)
}

fn write_process(process: &Process<'_>, text: &mut Vec<u8>) {
    let revision = match process.revision {
        Some(revision) => format!(",revision=\"{revision}\""),
        None => String::new(),
    };
    // Writing to a vector cannot fail.
    let _ = write!(
        text,
        "# HELP process_start_time_seconds Timestamp of service start\n\
         # TYPE process_start_time_seconds gauge\n\
         process_start_time_seconds {}\n\
         # HELP dovecot_build Dovecot build information\n\
         # TYPE dovecot_build info\n\
         dovecot_build_info{{version=\"{}\"{revision}}} 1\n",
        process.started.seconds(),
        process.version,
    );
}

/// The kinds of families that a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Histogram,
    Count,
    Duration,
    Field(usize),
}

fn write_family<W: io::Write>(
    family: Family,
    at: usize,
    walk: &mut Walk<'_>,
    out: &mut ChunkedWriter<W>,
) -> io::Result<()> {
    let Some(tree) = walk.tree(at) else {
        return Ok(());
    };
    // The name is this metric's, even if the walk visits another metric.
    let name = family_name(family, tree);
    write_head(family, &name, tree, out.text());
    walk.each(at, |tree_there, node, labels| {
        write_samples(family, &name, (tree_there, node), labels, out.text());
        out.write_full()
    })?;
    write_samples(family, &name, (tree, 0), "", out.text());
    out.write_full()
}

fn write_samples(
    family: Family,
    name: &[u8],
    (tree, node): (&Tree<'_>, usize),
    labels: &str,
    text: &mut Vec<u8>,
) {
    match family {
        Family::Histogram => write_histogram(tree, node, labels, text),
        _ => write_number(family, name, (tree, node), labels, text),
    }
}

fn write_head(family: Family, name: &[u8], tree: &Tree<'_>, text: &mut Vec<u8>) {
    let (what, kind) = match family {
        Family::Histogram => ("Histogram", "histogram"),
        Family::Count => ("Total number of all events of this kind", "counter"),
        Family::Duration => ("Total duration of all events of this kind", "counter"),
        Family::Field(_) => ("Total of field value for events of this kind", "counter"),
    };
    text.extend([b"# HELP ", name, b" ", what.as_bytes()].concat());
    let description = &tree.metric.settings().description;
    if !description.is_empty() {
        text.extend_from_slice(b" of ");
        text.extend_from_slice(description);
    }
    text.extend([b"\n# TYPE ", name, b" ", kind.as_bytes(), b"\n"].concat());
}

fn family_name(family: Family, tree: &Tree<'_>) -> Vec<u8> {
    let settings = tree.metric.settings();
    let mut name = [b"dovecot_", &settings.name[..]].concat();
    match family {
        Family::Histogram | Family::Count => {}
        Family::Duration => name.extend_from_slice(b"_duration_seconds"),
        Family::Field(index) => {
            name.push(b'_');
            name.extend_from_slice(settings.fields.get(index).map_or(&[], Vec::as_slice));
        }
    }
    name
}

fn write_number(
    family: Family,
    name: &[u8],
    (tree, node): (&Tree<'_>, usize),
    labels: &str,
    text: &mut Vec<u8>,
) {
    let Some(series) = tree.series(node) else {
        return;
    };
    let top_of_many = labels.is_empty() && !tree.metric.settings().group_by.is_empty();
    let suffix: &[u8] = match (top_of_many, family) {
        (false, _) => b"_total",
        (true, Family::Count) => b"_count",
        (true, _) => b"_sum",
    };
    text.extend_from_slice(name);
    text.extend_from_slice(suffix);
    push_braced(labels, text);
    text.push(b' ');
    match family {
        Family::Count | Family::Histogram => push_whole(series.duration().count(), text),
        Family::Duration => {
            let seconds = seconds(series.duration().sum());
            push_fixed(seconds.into(), 6, text);
        }
        Family::Field(index) => {
            let sum = series.fields().get(index).map_or(0, Distribution::sum);
            push_wide(sum, text);
        }
    }
    text.push(b'\n');
}

/// Appends labels in braces, if there are any.
fn push_braced(labels: &str, text: &mut Vec<u8>) {
    if !labels.is_empty() {
        text.push(b'{');
        text.extend_from_slice(labels.as_bytes());
        text.push(b'}');
    }
}

/// Converts microseconds to seconds, rounded as in Dovecot.
#[allow(clippy::cast_precision_loss)]
fn seconds(micros: u128) -> f32 {
    micros as f32 / 1e6
}

/// Writes the buckets below a node, if its level has buckets.
fn write_histogram(tree: &Tree<'_>, node: usize, labels: &str, text: &mut Vec<u8>) {
    let Some(level) = tree.level(node) else {
        return;
    };
    let Some(buckets) = level.method.buckets() else {
        return;
    };
    let name = family_name(Family::Histogram, tree);
    let is_duration = level.field == b"duration";
    let Observed { counts, sum } = observe(tree, node, buckets, is_duration);
    let comma = if labels.is_empty() { "" } else { "," };
    let mut total = 0;
    for (bucket, count) in (0..).zip(counts) {
        total += count;
        text.extend_from_slice(&name);
        // Writing to a vector cannot fail.
        let _ = write!(text, "_bucket{{{labels}{comma}le=\"");
        match buckets.upper_bound(bucket) {
            None => text.extend_from_slice(b"+Inf"),
            Some(micros) if is_duration => {
                push_fixed(seconds(micros.unsigned_abs().into()).into(), 6, text);
            }
            Some(bound) => _ = write!(text, "{bound}"),
        }
        text.extend_from_slice(b"\"} ");
        push_whole(total, text);
        text.push(b'\n');
    }
    // Nothing since a reset is like nothing at all.
    if total == 0 {
        return;
    }
    text.extend_from_slice(&name);
    text.extend_from_slice(b"_sum");
    push_braced(labels, text);
    text.push(b' ');
    push_fixed(sum.into(), 6, text);
    text.push(b'\n');
    text.extend_from_slice(&name);
    text.extend_from_slice(b"_count");
    push_braced(labels, text);
    text.push(b' ');
    push_whole(total, text);
    text.push(b'\n');
}

struct Observed {
    counts: Vec<u64>,
    /// The sum of the durations, for any field.
    sum: f32,
}

#[allow(clippy::cast_precision_loss)] // Dovecot loses precision here too.
fn observe(tree: &Tree<'_>, node: usize, buckets: Buckets, is_duration: bool) -> Observed {
    let count = usize::try_from(buckets.count()).unwrap_or_default();
    let mut observed = Observed {
        counts: vec![0; count],
        sum: 0.0,
    };
    // Rounded sums depend on the order: Dovecot's is that of the buckets.
    let mut children = tree.children(node).to_vec();
    children.sort_by_key(
        |node| match tree.series(*node).map(|series| series.label()) {
            Some(Label::Bucket(bucket)) => bucket,
            _ => u32::MAX,
        },
    );
    for series in children.into_iter().filter_map(|node| tree.series(node)) {
        let bucket = match series.label() {
            Label::Bucket(bucket) => usize::try_from(bucket).unwrap_or(usize::MAX),
            // Dovecot has no limit, so any bucket may contain these values.
            _ => count - 1,
        };
        if let Some(count) = observed.counts.get_mut(bucket) {
            *count += series.duration().count();
        }
        observed.sum += series.duration().sum() as f32;
    }
    if is_duration {
        observed.sum /= 1e6;
    }
    observed
}
