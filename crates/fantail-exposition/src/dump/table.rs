//! The table of `doveadm stats dump`, and its rows.

use std::borrow::Cow;

use fantail_event::Dialect;
use fantail_metrics::{Distribution, MetricSettings, MetricSnapshot, Series, Snapshot};

use super::{
    column::Column,
    names::{Names, Path},
    numbers, top,
};

/// A row: a metric or sub-metric.
#[derive(Debug)]
pub struct DumpRow<'a> {
    /// The name, not escaped.
    pub name: Cow<'a, [u8]>,
    /// The name and the values of each field, the duration first.
    pub fields: Vec<(&'a [u8], &'a Distribution)>,
}

/// Returns the rows of a metric and its sub-metrics in the order of a dump.
pub fn rows(
    metric: &MetricSnapshot,
    dialect: Dialect,
    names: Names,
) -> impl Iterator<Item = DumpRow<'_>> {
    let settings = metric.settings();
    let mut path = Path::new(settings, dialect, names);
    metric.series().iter().filter_map(move |series| {
        let name = path.enter(&series)?;
        let name = match series.depth() {
            0 => Cow::Borrowed(&*settings.name),
            _ => Cow::Owned(name.to_vec()),
        };
        let fields = fields(settings, series).collect();
        Some(DumpRow { name, fields })
    })
}

/// Returns the name and the values of each field, the duration first.
#[inline]
fn fields<'a>(
    settings: &'a MetricSettings,
    series: Series<'a>,
) -> impl Iterator<Item = (&'a [u8], &'a Distribution)> {
    let names = settings.fields.iter().map(Vec::as_slice);
    std::iter::once((&b"duration"[..], series.duration())).chain(names.zip(series.fields()))
}

/// A line of a dump: a field of a metric or sub-metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the metric or sub-metric.
    pub metric: Vec<u8>,
    /// The field.
    pub field: Vec<u8>,
    /// The printed value of each column: a number, or empty.
    pub values: Vec<String>,
}

impl Line {
    /// Creates a line with the values that `write` appends, each after a TAB.
    fn new(metric: &[u8], field: &[u8], write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut printed = Vec::new();
        write(&mut printed);
        let values = printed.split(|&byte| byte == b'\t').skip(1);
        Self {
            metric: metric.to_vec(),
            field: field.to_vec(),
            values: values
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect(),
        }
    }
}

/// Returns the lines of a dump, for other forms than Dovecot's table.
pub fn lines<'a>(
    snapshot: &'a Snapshot,
    columns: &'a [Column],
    names: Names,
) -> impl Iterator<Item = Line> + 'a {
    let metrics = snapshot.metrics().iter();
    metrics.flat_map(move |metric| {
        let rows = rows(metric, snapshot.dialect(), names);
        let lines = rows.flat_map(move |row| {
            let metric = row.name;
            row.fields.into_iter().map(move |(field, distribution)| {
                Line::new(&metric, field, |out| {
                    numbers::write(distribution, columns, out);
                })
            })
        });
        let top = top::fields(metric).into_iter().map(move |field| {
            let name = field.name.as_bytes();
            Line::new(&metric.settings().name, name, |out| {
                field.write(columns, out);
            })
        });
        lines.chain(top)
    })
}

/// Appends the table of `doveadm stats dump`: a line with the names of the
/// columns, then a line for each field of each metric and sub-metric.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_exposition::dump::{Column, write_table};
/// use fantail_metrics::{MetricSettings, Registry};
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// registry.add(MetricSettings { name: b"logins".to_vec(), ..MetricSettings::default() })?;
/// let mut out = Vec::new();
/// write_table(&registry.snapshot(), &[Column::Count], &mut out);
/// let text = String::from_utf8(out)?;
/// assert!(text.lines().nth(1).unwrap().starts_with("logins"), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_table(snapshot: &Snapshot, columns: &[Column], out: &mut Vec<u8>) {
    write_table_with(snapshot, columns, Names::Dovecot, out);
}

/// Appends the table of [`write_table`] with the chosen names.
pub fn write_table_with(snapshot: &Snapshot, columns: &[Column], names: Names, out: &mut Vec<u8>) {
    out.extend_from_slice(b"metric_name\tfield");
    for column in columns {
        out.push(b'\t');
        out.extend_from_slice(column.name());
    }
    out.push(b'\n');
    for metric in snapshot.metrics() {
        let mut path = Path::new(metric.settings(), snapshot.dialect(), names);
        for series in metric.series().iter() {
            let Some(name) = path.enter(&series) else {
                continue;
            };
            for (field, distribution) in fields(metric.settings(), series) {
                out.extend_from_slice(name);
                out.push(b'\t');
                out.extend_from_slice(field);
                numbers::write(distribution, columns, out);
                out.push(b'\n');
            }
        }
        for field in top::fields(metric) {
            out.extend_from_slice(&metric.settings().name);
            out.push(b'\t');
            out.extend_from_slice(field.name.as_bytes());
            field.write(columns, out);
            out.push(b'\n');
        }
    }
}
