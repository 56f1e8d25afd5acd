//! What `doveadm stats dump` shows, and what it is told by the stats process.
//!
//! A row is a metric or sub-metric and one of its fields (the duration is the
//! first). The name of a sub-metric is its parent's, `_` and its label, in
//! which blanks become `_`.

use std::{borrow::Cow, cell::LazyCell, io::Write as _};

use fantail_event::escape::escape_into;

use crate::{Distribution, DovecotLabels, Label, MetricSnapshot, Percentile, Snapshot};

/// One number of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// `count`
    Count,
    /// `sum`
    Sum,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `avg`, with two decimals
    Mean,
    /// `median`
    Median,
    /// `variance`, with two decimals
    Variance,
    /// `stddev`, with two decimals: the root of the variance that the stats
    /// process prints. It does not print it itself, `doveadm` computes it.
    StandardDeviation,
    /// `%95`, `%99.9`: as it is written, and which it is
    Percentile(Vec<u8>, Percentile),
    /// Anything else: always empty.
    Unknown(Vec<u8>),
}

impl Column {
    /// The column with this name.
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        match name {
            b"count" => Self::Count,
            b"sum" => Self::Sum,
            b"min" => Self::Min,
            b"max" => Self::Max,
            b"avg" => Self::Mean,
            b"median" => Self::Median,
            b"variance" => Self::Variance,
            b"stddev" => Self::StandardDeviation,
            [b'%', number @ ..] => Self::Percentile(name.to_vec(), Percentile::parse(number)),
            other => Self::Unknown(other.to_vec()),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Count => b"count",
            Self::Sum => b"sum",
            Self::Min => b"min",
            Self::Max => b"max",
            Self::Mean => b"avg",
            Self::Median => b"median",
            Self::Variance => b"variance",
            Self::StandardDeviation => b"stddev",
            Self::Percentile(name, _) | Self::Unknown(name) => name,
        }
    }
}

/// The columns of `doveadm stats dump` without `-f`.
#[must_use]
pub fn default_columns() -> Vec<Column> {
    let names = "count sum min max avg median stddev %95";
    names
        .split(' ')
        .map(|name| Column::parse(name.as_bytes()))
        .collect()
}

/// The names that rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// As Dovecot has them: labels cut as [`DovecotLabels`] says, so that
    /// different sub-metrics may have the same name.
    #[default]
    Dovecot,
    /// Labels in full, as [`Label::text`](crate::Label::text) has them.
    Full,
}

/// A metric or sub-metric.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its name, not escaped.
    pub name: Cow<'a, [u8]>,
    /// Each field's name and values; the duration first.
    pub fields: Vec<(&'a [u8], &'a Distribution)>,
}

/// The rows of a metric: itself and its sub-metrics, in the order of a dump.
pub fn rows(
    metric: &MetricSnapshot,
    dialect: fantail_event::Dialect,
    names: Names,
) -> impl Iterator<Item = Row<'_>> {
    let settings = metric.settings();
    // The name and the labels below of each series from the metric down to
    // the one before.
    let mut path: Vec<Option<(Vec<u8>, DovecotLabels)>> = Vec::new();
    metric.series().iter().filter_map(move |series| {
        path.truncate(series.depth());
        let fields = || {
            let fields = settings.fields.iter().map(Vec::as_slice);
            std::iter::once((&b"duration"[..], series.duration()))
                .chain(fields.zip(series.fields()))
                .collect()
        };
        let Some(level) = series.level(settings) else {
            path.push(Some((settings.name.clone(), DovecotLabels::new(dialect))));
            return Some(Row {
                name: Cow::Borrowed(&settings.name),
                fields: fields(),
            });
        };
        let here = path
            .last()
            .and_then(Option::as_ref)
            .and_then(|(parent, labels)| {
                let (label, below) = match names {
                    _ if series.label() == Label::Missing => return None,
                    Names::Dovecot => labels.label(series.label(), level)?,
                    Names::Full => (series.label().text(level), *labels),
                };
                let mut name = parent.clone();
                name.push(b'_');
                let shown = label.chars().map(|character| match character {
                    ' ' => '_',
                    control if control.is_ascii_control() && names == Names::Full => '\u{fffd}',
                    other => other,
                });
                let mut utf8 = [0; 4];
                shown.for_each(|c| name.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()));
                Some((name, below))
            });
        // A series that Dovecot does not have, nor any below it.
        path.push(here);
        let (name, _) = path.last()?.as_ref()?;
        Some(Row {
            name: Cow::Owned(name.clone()),
            fields: fields(),
        })
    })
}

/// One line of a dump: a field of a metric or sub-metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the metric or sub-metric.
    pub metric: Vec<u8>,
    /// The field.
    pub field: Vec<u8>,
    /// A value for each column, as it is printed: a number, or nothing.
    pub values: Vec<String>,
}

/// The lines of a dump by their parts, for other forms than Dovecot's table.
pub fn lines<'a>(
    snapshot: &'a Snapshot,
    columns: &'a [Column],
    names: Names,
) -> impl Iterator<Item = Line> + 'a {
    let metrics = snapshot.metrics().iter();
    let all_rows = metrics.flat_map(move |metric| rows(metric, snapshot.dialect(), names));
    all_rows.flat_map(move |row| {
        let metric = row.name;
        row.fields.into_iter().map(move |(field, distribution)| {
            let mut printed = Vec::new();
            write_values(distribution, columns, &mut printed);
            let values = printed.split(|&byte| byte == b'\t').skip(1);
            Line {
                metric: metric.to_vec(),
                field: field.to_vec(),
                values: values
                    .map(|value| String::from_utf8_lossy(value).into_owned())
                    .collect(),
            }
        })
    })
}

/// Appends the table that `doveadm stats dump` prints: a line with the names
/// of the columns, then one for each field of each metric and sub-metric.
pub fn write_table(snapshot: &Snapshot, columns: &[Column], out: &mut Vec<u8>) {
    write_table_with(snapshot, columns, Names::Dovecot, out);
}

/// [`write_table`] with a choice of names.
pub fn write_table_with(snapshot: &Snapshot, columns: &[Column], names: Names, out: &mut Vec<u8>) {
    out.extend_from_slice(b"metric_name\tfield");
    for column in columns {
        out.push(b'\t');
        out.extend_from_slice(column.name());
    }
    out.push(b'\n');
    for metric in snapshot.metrics() {
        for row in rows(metric, snapshot.dialect(), names) {
            for (field, distribution) in row.fields {
                out.extend_from_slice(&row.name);
                out.push(b'\t');
                out.extend_from_slice(field);
                write_values(distribution, columns, out);
                out.push(b'\n');
            }
        }
    }
}

/// Appends the answer of a stats process to `DUMP`: a line for each metric
/// and sub-metric, its name and the columns of the duration, then the name of
/// each field and its columns, all escaped; then an empty line.
///
/// The standard deviation is empty there, as it is in Dovecot.
pub fn write_answer(snapshot: &Snapshot, columns: &[Column], out: &mut Vec<u8>) {
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| match column {
            Column::StandardDeviation => Column::Unknown(column.name().to_vec()),
            column => column.clone(),
        })
        .collect();
    for metric in snapshot.metrics() {
        for row in rows(metric, snapshot.dialect(), Names::Dovecot) {
            escape_into(&row.name, out);
            for (index, (field, distribution)) in row.fields.into_iter().enumerate() {
                if index > 0 {
                    out.push(b'\t');
                    escape_into(field, out);
                }
                write_values(distribution, &columns, out);
            }
            out.push(b'\n');
        }
    }
    out.push(b'\n');
}

/// A TAB and a value for each column.
fn write_values(distribution: &Distribution, columns: &[Column], out: &mut Vec<u8>) {
    let quantiles = LazyCell::new(|| distribution.quantiles());
    for column in columns {
        out.push(b'\t');
        // Writing to a vector cannot fail.
        let _ = match column {
            Column::Count => write!(out, "{}", distribution.count()),
            Column::Sum => write!(out, "{}", distribution.sum()),
            Column::Min => write!(out, "{}", distribution.min()),
            Column::Max => write!(out, "{}", distribution.max()),
            Column::Mean => write!(out, "{:.2}", distribution.mean()),
            Column::Median => write!(out, "{}", quantiles.median()),
            Column::Variance => write!(out, "{:.2}", distribution.variance()),
            Column::StandardDeviation => {
                let printed = format!("{:.2}", distribution.variance());
                let deviation = printed.parse().map_or(0.0, f64::sqrt);
                write!(out, "{deviation:.2}")
            }
            Column::Percentile(_, percentile) => {
                write!(out, "{}", quantiles.percentile(*percentile))
            }
            Column::Unknown(_) => Ok(()),
        };
    }
}
