//! What `doveadm stats dump` shows, and what it is told by the stats process.
//!
//! A row is a metric or sub-metric and one of its fields (the duration is the
//! first). The name of a sub-metric is its parent's, `_` and its label, in
//! which blanks become `_`.

mod counts;
mod names;
mod numbers;

use std::{borrow::Cow, io};

use fantail_event::{
    Dialect,
    escape::{escape, escape_into},
};

use self::{counts::Counts, names::Path};
use crate::{
    Distribution, MetricSettings, MetricSnapshot, Percentile, Series, Siblings, Snapshot, Stretch,
    lines::Sheet,
};

/// What [`write_answer_to`] writes at once.
const PIECE: usize = 64 << 10;

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
    /// As Dovecot has them: labels cut as
    /// [`DovecotLabels`](crate::DovecotLabels) says, so that different
    /// sub-metrics may have the same name.
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
    dialect: Dialect,
    names: Names,
) -> impl Iterator<Item = Row<'_>> {
    let settings = metric.settings();
    let mut path = Path::new(settings, dialect, names);
    metric.series().iter().filter_map(move |series| {
        let name = path.enter(&series)?;
        let name = match series.depth() {
            0 => Cow::Borrowed(&*settings.name),
            _ => Cow::Owned(name.to_vec()),
        };
        let fields = fields(settings, series).collect();
        Some(Row { name, fields })
    })
}

/// Each field's name and values; the duration first.
#[inline]
fn fields<'a>(
    settings: &'a MetricSettings,
    series: Series<'a>,
) -> impl Iterator<Item = (&'a [u8], &'a Distribution)> {
    let names = settings.fields.iter().map(Vec::as_slice);
    std::iter::once((&b"duration"[..], series.duration())).chain(names.zip(series.fields()))
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
            numbers::write(distribution, columns, &mut printed);
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
    }
}

/// Appends the answer of a stats process to `DUMP`: a line for each metric
/// and sub-metric, its name and the columns of the duration, then the name of
/// each field and its columns, all escaped; then an empty line.
///
/// The standard deviation is empty there, as it is in Dovecot.
pub fn write_answer(snapshot: &Snapshot, columns: &[Column], out: &mut Vec<u8>) {
    let mut sheet = Sheet::from(std::mem::take(out));
    // There is nothing that could fail.
    let _ = write_pieces(snapshot, columns, &mut sheet, |_| Ok(()));
    std::mem::swap(out, sheet.text());
}

/// [`write_answer`] in pieces of some 64 KB, as soon as they are made: an
/// answer of any size takes no more memory than that.
///
/// # Errors
/// Writing fails.
pub fn write_answer_to(
    snapshot: &Snapshot,
    columns: &[Column],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut sheet = Sheet::from(Vec::with_capacity(PIECE + PIECE / 4));
    write_pieces(snapshot, columns, &mut sheet, |piece| {
        if piece.len() >= PIECE {
            out.write_all(piece.written())?;
            piece.clear();
        }
        Ok(())
    })?;
    out.write_all(sheet.written())
}

/// `after_rows` may take what is in the buffer after a few rows.
#[inline]
fn write_pieces(
    snapshot: &Snapshot,
    columns: &[Column],
    out: &mut Sheet,
    mut after_rows: impl FnMut(&mut Sheet) -> io::Result<()>,
) -> io::Result<()> {
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| match column {
            Column::StandardDeviation => Column::Unknown(column.name().to_vec()),
            column => column.clone(),
        })
        .collect();
    for metric in snapshot.metrics() {
        let mut rows = Rows::new(metric.settings(), snapshot.dialect(), &columns);
        for stretch in metric.series().stretches() {
            match stretch {
                Stretch::One(series) => rows.push(series, out.text()),
                Stretch::Many(siblings) => {
                    if !rows.push_many(&siblings, out) {
                        for series in siblings.series().iter() {
                            rows.push(series, out.text());
                        }
                    }
                }
            }
            after_rows(out)?;
        }
    }
    out.text().push(b'\n');
    Ok(())
}

/// The rows of a metric in the answer of a stats process.
#[derive(Debug)]
struct Rows<'a> {
    columns: &'a [Column],
    fields: Vec<Cow<'a, [u8]>>,
    /// Labels have nothing to be escaped; the name of the metric neither.
    is_plain: bool,
    path: Path<'a>,
    /// If no more is asked for.
    counts: Option<Counts>,
}

impl<'a> Rows<'a> {
    fn new(settings: &'a MetricSettings, dialect: Dialect, columns: &'a [Column]) -> Self {
        let fields: Vec<_> = settings.fields.iter().map(|field| escape(field)).collect();
        let is_plain = matches!(escape(&settings.name), Cow::Borrowed(_));
        let counts_alone = is_plain && columns == [Column::Count];
        Self {
            columns,
            is_plain,
            path: Path::new(settings, dialect, Names::Dovecot),
            counts: counts_alone.then(|| Counts::new(&fields)),
            fields,
        }
    }

    /// `false` if each has to be looked at.
    #[inline]
    fn push_many(&mut self, siblings: &Siblings<'_>, out: &mut Sheet) -> bool {
        let above = self.path.above(siblings.depth());
        match (&mut self.counts, above) {
            (Some(counts), Some(above)) => counts.push(siblings, above, out),
            _ => false,
        }
    }

    #[inline]
    fn push(&mut self, series: Series<'_>, out: &mut Vec<u8>) {
        if !self.is_plain || self.path.append_last(&series, out).is_none() {
            let Some(name) = self.path.enter(&series) else {
                return;
            };
            match self.is_plain {
                true => out.extend_from_slice(name),
                false => escape_into(name, out),
            }
        }
        numbers::write(series.duration(), self.columns, out);
        for (field, distribution) in self.fields.iter().zip(series.fields()) {
            out.push(b'\t');
            out.extend_from_slice(field);
            numbers::write(distribution, self.columns, out);
        }
        out.push(b'\n');
    }
}
