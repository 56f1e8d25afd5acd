//! The samples of a run of series, which differ in one label.
//!
//! The caller guarantees that the values of the labels need no escaping.

use std::io;

use fantail_metrics::internal::SeriesRun;

use super::{Form, Samples};
use crate::{
    scrape::labels::LabelPrefix,
    text::rows::{RowText, RowWriter},
};

/// The maximum length of a sample after its labels in bytes, except for numbers
/// of more than 64 bits.
const MAX_TAIL_BYTES: usize = 32;

/// The common beginning of the samples of a run.
#[derive(Debug)]
pub(crate) struct RunPrefix {
    /// The common labels.
    labels: Vec<u8>,
    /// The text before the value of the last label.
    before: RowText,
}

impl RunPrefix {
    /// Returns whether samples with these labels have this beginning, in the
    /// same family and level.
    pub(crate) fn are_below(&self, above: LabelPrefix<'_>) -> bool {
        self.labels == above.labels
    }
}

impl<W: io::Write> Samples<'_, W> {
    /// Returns whether samples are text without `_created`, so that a run can be written
    /// at once.
    pub(crate) const fn are_alone(&self) -> bool {
        matches!(self.form, Form::Text { created: None, .. })
    }

    /// Returns the beginning of samples with these labels and another one.
    pub(crate) fn prefix(&self, above: LabelPrefix<'_>) -> RunPrefix {
        let comma = if above.labels.is_empty() { "" } else { "," };
        let parts = [self.name, self.suffix, "{"].map(str::as_bytes);
        let last = [comma, above.name, "=\""].map(str::as_bytes);
        let before = [&parts[..], &[above.labels], &last].concat().concat();
        RunPrefix {
            labels: above.labels.to_vec(),
            before: RowText::new(&before),
        }
    }

    /// Adds the samples of a run; `push` appends the number of each.
    #[inline]
    pub(crate) fn points<T>(
        &mut self,
        prefix: &RunPrefix,
        run: &SeriesRun<'_>,
        numbers: &[T],
        push: impl Fn(&T, &mut RowWriter<'_>),
    ) -> io::Result<()> {
        let texts = run.texts();
        let max_bytes = texts.len() + numbers.len() * (prefix.before.len() + MAX_TAIL_BYTES);
        self.out.rows(max_bytes, |rows| {
            let mut texts = texts;
            for (length, number) in run.each_length().zip(numbers) {
                rows.text(&prefix.before);
                rows.first(&mut texts, length);
                rows.bytes(b"\"} ");
                push(number, rows);
                rows.bytes(b"\n");
            }
        });
        self.out.write_full()
    }
}
