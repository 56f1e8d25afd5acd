//! The stats process' answer to `DUMP`.

use std::{borrow::Cow, io};

use fantail_event::{
    Dialect,
    escape::{escape, escape_into},
};
use fantail_metrics::{
    MetricSnapshot, Series, Snapshot,
    internal::{RunOrSeries, SeriesRun},
};

use super::{
    column::Column,
    count_rows::Counts,
    names::{Names, Path},
    numbers,
    top::{self, TopField},
};
use crate::text::rows::RowBuffer;

/// The size of a chunk of [`write_answer_to`] in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Appends the stats process' answer to `DUMP`. Each metric and sub-metric has
/// a line with its name and the columns of the duration, then the name and the
/// columns of each field, all escaped. The metric's heavy hitters are further fields,
/// `user=anna`. An empty line is the end.
///
/// The standard deviation is empty, as in Dovecot.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_exposition::dump::{Column, write_answer};
/// use fantail_metrics::{MetricSettings, Registry};
///
/// let mut registry = Registry::new(Dialect::V2_4);
/// registry.add(MetricSettings { name: b"logins".to_vec(), ..MetricSettings::default() })?;
/// let mut out = Vec::new();
/// write_answer(&registry.snapshot(), &[Column::Count], &mut out);
/// assert_eq!(out, b"logins\t0\n\n");
/// # Ok::<(), fantail_metrics::RegistryError>(())
/// ```
pub fn write_answer(snapshot: &Snapshot, columns: &[Column], out: &mut Vec<u8>) {
    let mut buffer = RowBuffer::from(std::mem::take(out));
    // Writing to a vector cannot fail.
    let _ = write_chunks(snapshot, columns, &mut buffer, |_| Ok(()));
    std::mem::swap(out, buffer.text());
}

/// Writes the answer of [`write_answer`] in chunks of about 64 KB, so that
/// memory is bounded for any answer.
///
/// # Errors
/// Writing fails.
pub fn write_answer_to(
    snapshot: &Snapshot,
    columns: &[Column],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut buffer = RowBuffer::from(Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4));
    write_chunks(snapshot, columns, &mut buffer, |chunk| {
        if chunk.len() >= CHUNK_BYTES {
            out.write_all(chunk.written())?;
            chunk.clear();
        }
        Ok(())
    })?;
    out.write_all(buffer.written())
}

/// Calls `after_rows` after a few rows; it may empty the buffer.
#[inline]
fn write_chunks(
    snapshot: &Snapshot,
    columns: &[Column],
    out: &mut RowBuffer,
    mut after_rows: impl FnMut(&mut RowBuffer) -> io::Result<()>,
) -> io::Result<()> {
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| match column {
            Column::StandardDeviation => Column::Unknown(column.name().to_vec()),
            column => column.clone(),
        })
        .collect();
    for metric in snapshot.metrics() {
        let mut rows = Rows::new(metric, snapshot.dialect(), &columns);
        for next in metric.series().runs() {
            match next {
                RunOrSeries::Series(series) => rows.push(series, out.text()),
                RunOrSeries::Run(run) => {
                    if !rows.push_run(&run, out) {
                        for series in run.series().iter() {
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

/// The rows of a metric in a stats process' answer.
#[derive(Debug)]
struct Rows<'a> {
    columns: &'a [Column],
    fields: Vec<Cow<'a, [u8]>>,
    /// Whether neither the labels nor the name of the metric need escaping.
    is_verbatim: bool,
    /// The heavy hitters; they are fields of the metric itself.
    top: Vec<TopField>,
    path: Path<'a>,
    /// The writer for answers with the column `count` only.
    counts: Option<Counts>,
}

impl<'a> Rows<'a> {
    fn new(metric: &'a MetricSnapshot, dialect: Dialect, columns: &'a [Column]) -> Self {
        let settings = metric.settings();
        let fields: Vec<_> = settings.fields.iter().map(|field| escape(field)).collect();
        let is_verbatim = matches!(escape(&settings.name), Cow::Borrowed(_));
        let counts_alone = is_verbatim && columns == [Column::Count];
        Self {
            columns,
            is_verbatim,
            top: top::fields(metric),
            path: Path::new(settings, dialect, Names::Dovecot),
            counts: counts_alone.then(|| Counts::new(&fields)),
            fields,
        }
    }

    /// Appends the rows of a run; returns `false` if each series has to be
    /// written separately.
    #[inline]
    fn push_run(&mut self, run: &SeriesRun<'_>, out: &mut RowBuffer) -> bool {
        let above = self.path.above(run.depth());
        match (&mut self.counts, above) {
            (Some(counts), Some(above)) => counts.push(run, above, out),
            _ => false,
        }
    }

    #[inline]
    fn push(&mut self, series: Series<'_>, out: &mut Vec<u8>) {
        if !self.is_verbatim || self.path.append_last(&series, out).is_none() {
            let Some(name) = self.path.enter(&series) else {
                return;
            };
            match self.is_verbatim {
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
        if series.depth() == 0 {
            for field in &self.top {
                out.push(b'\t');
                escape_into(field.name.as_bytes(), out);
                field.write(self.columns, out);
            }
        }
        out.push(b'\n');
    }
}
