//! The layout of Dovecot itself, byte for byte.
//!
//! For dashboards that were made for it. It is valid in neither format: a
//! family has samples with all labels and samples with some, so that sums
//! count twice; labels may be equal; numbers are rounded to 32-bit floating
//! point; the `_sum` of a histogram is that of the durations, whatever the
//! field. 2.3 also leaves its walk through the sub-metrics unfinished
//! where that begins at a quantized level or one with an illegal name; what is
//! left turns up in a later family, and does here.
//!
//! What is known to differ: sums beyond 2⁶⁴ do not wrap, values of different
//! types with the same text are one series, and
//! [`DovecotLabels`](fantail_metrics::DovecotLabels) says where a label of
//! more than 256 bytes may.

mod tree;
mod walk;

use std::io;

use fantail_event::{Dialect, Timestamp};
use fantail_metrics::{Buckets, Distribution, Label, Snapshot};

use crate::{
    dovecot::{tree::Tree, walk::Walk},
    snapshot::histogram_of,
};

/// The `Content-Type` of Dovecot's answers.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";

/// What the first lines tell of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process<'a> {
    /// When it started.
    pub started: Timestamp,
    /// The version it says it has.
    pub version: &'a str,
    /// And the revision, if known.
    pub revision: Option<&'a str>,
}

/// Writes what a Dovecot of the snapshot's dialect would answer.
///
/// # Errors
/// Writing fails.
pub fn write(
    snapshot: &Snapshot,
    process: &Process<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    write_process(process, out)?;
    let trees: Vec<Tree<'_>> = snapshot
        .metrics()
        .iter()
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
            write_family(family, at, &mut walk, out)?;
            if snapshot.dialect() == Dialect::V2_4 {
                walk.forget();
            }
        }
    }
    out.write_all(b"# EOF\n")
}

fn write_process(process: &Process<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let revision = match process.revision {
        Some(revision) => format!(",revision=\"{revision}\""),
        None => String::new(),
    };
    write!(
        out,
        "# HELP process_start_time_seconds Timestamp of service start\n\
         # TYPE process_start_time_seconds gauge\n\
         process_start_time_seconds {}\n\
         # HELP dovecot_build Dovecot build information\n\
         # TYPE dovecot_build info\n\
         dovecot_build_info{{version=\"{}\"{revision}}} 1\n",
        process.started.seconds(),
        process.version,
    )
}

/// What a family of a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Histogram,
    Count,
    Duration,
    Field(usize),
}

fn write_family(
    family: Family,
    at: usize,
    walk: &mut Walk<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let Some(tree) = walk.tree(at) else {
        return Ok(());
    };
    write_head(family, tree, out)?;
    walk.each(at, |tree_there, node, labels| match family {
        Family::Histogram => write_histogram(tree_there, node, labels, out),
        // The name is this metric's, whosever the numbers are.
        _ => write_number(family, tree, tree_there, node, labels, out),
    })?;
    match family {
        Family::Histogram => write_histogram(tree, 0, "", out),
        _ => write_number(family, tree, tree, 0, "", out),
    }
}

fn write_head(family: Family, tree: &Tree<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let (what, kind) = match family {
        Family::Histogram => ("Histogram", "histogram"),
        Family::Count => ("Total number of all events of this kind", "counter"),
        Family::Duration => ("Total duration of all events of this kind", "counter"),
        Family::Field(_) => ("Total of field value for events of this kind", "counter"),
    };
    let name = family_name(family, tree);
    out.write_all(&[b"# HELP ", &name[..], b" ", what.as_bytes()].concat())?;
    let description = &tree.metric.settings().description;
    if !description.is_empty() {
        out.write_all(b" of ")?;
        out.write_all(description)?;
    }
    out.write_all(&[b"\n# TYPE ", &name[..], b" ", kind.as_bytes(), b"\n"].concat())
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
    named: &Tree<'_>,
    tree: &Tree<'_>,
    node: usize,
    labels: &str,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let Some(series) = tree.series(node) else {
        return Ok(());
    };
    let top_of_many = labels.is_empty() && !tree.metric.settings().group_by.is_empty();
    let suffix: &[u8] = match (top_of_many, family) {
        (false, _) => b"_total",
        (true, Family::Count) => b"_count",
        (true, _) => b"_sum",
    };
    out.write_all(&[&family_name(family, named)[..], suffix].concat())?;
    if !labels.is_empty() {
        write!(out, "{{{labels}}}")?;
    }
    match family {
        Family::Count | Family::Histogram => writeln!(out, " {}", series.duration().count()),
        Family::Duration => writeln!(out, " {:.6}", seconds(series.duration().sum())),
        Family::Field(index) => {
            let sum = series.fields().get(index).map_or(0, Distribution::sum);
            writeln!(out, " {sum}")
        }
    }
}

/// Microseconds as seconds, rounded as Dovecot does.
#[allow(clippy::cast_precision_loss)]
fn seconds(micros: u128) -> f32 {
    micros as f32 / 1e6
}

/// The buckets below a node, if its level makes any.
fn write_histogram(
    tree: &Tree<'_>,
    node: usize,
    labels: &str,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let Some(level) = tree.level(node) else {
        return Ok(());
    };
    let Some(buckets) = level.method.buckets() else {
        return Ok(());
    };
    let name = [b"dovecot_", &tree.metric.settings().name[..]].concat();
    let is_duration = level.field == b"duration";
    let Observed { counts, sum } = observe(tree, node, buckets, is_duration);
    let comma = if labels.is_empty() { "" } else { "," };
    let mut total = 0;
    for (bucket, count) in (0..).zip(counts) {
        total += count;
        out.write_all(&name)?;
        write!(out, "_bucket{{{labels}{comma}le=\"")?;
        match buckets.upper_bound(bucket) {
            None => write!(out, "+Inf")?,
            Some(micros) if is_duration => {
                write!(out, "{:.6}", seconds(micros.unsigned_abs().into()))?;
            }
            Some(bound) => write!(out, "{bound}")?,
        }
        writeln!(out, "\"}} {total}")?;
    }
    if tree.children(node).is_empty() {
        return Ok(());
    }
    let braced = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    out.write_all(&name)?;
    writeln!(out, "_sum{braced} {sum:.6}")?;
    out.write_all(&name)?;
    writeln!(out, "_count{braced} {total}")
}

struct Observed {
    counts: Vec<u64>,
    /// Of the durations, whatever the field.
    sum: f32,
}

#[allow(clippy::cast_precision_loss)] // As there.
fn observe(tree: &Tree<'_>, node: usize, buckets: Buckets, is_duration: bool) -> Observed {
    let count = usize::try_from(buckets.count()).unwrap_or_default();
    let mut observed = Observed {
        counts: vec![0; count],
        sum: 0.0,
    };
    // Rounded sums depend on the order: that of the buckets.
    let mut children = tree.children(node).to_vec();
    children.sort_by_key(|node| match tree.series(*node).map(|series| series.label()) {
        Some(Label::Bucket(bucket)) => bucket,
        _ => u32::MAX,
    });
    for series in children.into_iter().filter_map(|node| tree.series(node)) {
        let bucket = match series.label() {
            Label::Bucket(bucket) => usize::try_from(bucket).unwrap_or(usize::MAX),
            // Past a limit, which Dovecot does not have: somewhere.
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
