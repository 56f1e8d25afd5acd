//! Rows of runs of series with the column `count` only.
//!
//! Memory accesses dominate the time: all counts of a run are read before the
//! first is written, so that cache misses overlap.

use std::borrow::Cow;

use fantail_metrics::{Distribution, internal::SeriesRun};

use crate::{
    dovecot::labels::DovecotLabels,
    text::rows::{RowBuffer, RowText, RowWriter},
};

/// The maximum number of digits of a 64-bit count.
const MAX_DIGITS: usize = 20;

#[derive(Debug)]
pub(super) struct Counts {
    /// The name of the parent of the current rows.
    above: Vec<u8>,
    row: Row,
    counts: Vec<u64>,
    /// The buffer for labels that have to be changed.
    changed: Vec<u8>,
}

/// The parts that all rows have in common.
#[derive(Debug)]
struct Row {
    /// The text before the label.
    name: RowText,
    /// The text before the count of each field.
    fields: Vec<RowText>,
    /// The maximum length of a row from the label on.
    width: usize,
}

impl Counts {
    /// Creates a writer for the series of a metric with these escaped fields.
    pub(super) fn new(fields: &[Cow<'_, [u8]>]) -> Self {
        let fields = fields.iter().map(|field| [b"\t", &**field, b"\t"].concat());
        let fields: Vec<RowText> = fields.map(|field| RowText::new(&field)).collect();
        let each = fields.iter().map(|field| field.len() + MAX_DIGITS);
        Self {
            above: Vec::new(),
            row: Row {
                width: 1 + MAX_DIGITS + each.sum::<usize>() + 1,
                name: RowText::new(b"_"),
                fields,
            },
            counts: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Appends the rows of a run below the parent with this name. Returns
    /// `false` if the labels are not plain, so that each series has to be
    /// written separately.
    #[inline]
    pub(super) fn push(
        &mut self,
        run: &SeriesRun<'_>,
        (above, labels): (&[u8], DovecotLabels),
        out: &mut RowBuffer,
    ) -> bool {
        self.counts.clear();
        let counts = run.distributions().iter().map(Distribution::count);
        self.counts.extend(counts);
        let Some(labels) = labels.shown(run, &mut self.changed) else {
            return false;
        };
        if self.above != above {
            self.above = above.to_vec();
            self.row.name = RowText::new(&[above, b"_"].concat());
        }
        let (row, counts) = (&self.row, &*self.counts);
        let max_bytes = labels.len() + counts.len() * (row.name.len() + row.width);
        let lengths = run.each_length();
        if row.fields.is_empty() {
            out.rows(max_bytes, |rows| {
                row.write_each(lengths.clone(), labels, counts, rows);
            });
        } else {
            out.rows(max_bytes, |rows| {
                row.write_all(lengths.clone(), labels, counts, rows);
            });
        }
        true
    }
}

impl Row {
    /// Writes rows without fields.
    #[inline]
    fn write_each(
        &self,
        lengths: impl Iterator<Item = usize>,
        mut labels: &[u8],
        counts: &[u64],
        rows: &mut RowWriter<'_>,
    ) {
        for (length, count) in lengths.zip(counts) {
            rows.text(&self.name);
            rows.first(&mut labels, length);
            rows.whole_between(b'\t', *count, b'\n');
        }
    }

    /// Writes rows with fields.
    #[inline]
    fn write_all(
        &self,
        lengths: impl Iterator<Item = usize>,
        mut labels: &[u8],
        counts: &[u64],
        rows: &mut RowWriter<'_>,
    ) {
        let each = counts.chunks_exact(self.fields.len() + 1);
        for (length, counts) in lengths.zip(each) {
            rows.text(&self.name);
            rows.first(&mut labels, length);
            let Some((duration, counts)) = counts.split_first() else {
                continue;
            };
            rows.bytes(b"\t");
            rows.whole(*duration);
            for (field, count) in self.fields.iter().zip(counts) {
                rows.text(field);
                rows.whole(*count);
            }
            rows.bytes(b"\n");
        }
    }
}
