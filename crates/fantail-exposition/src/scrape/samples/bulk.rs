//! The samples of many series that differ in one label.
//!
//! Here nothing is looked at: that the values of the labels may be written as
//! they are, the caller knows.

use std::io;

use fantail_metrics::Siblings;

use super::Samples;
use crate::{
    scrape::labels::Above,
    text::rows::{Lines, Text},
};

/// How much a sample has behind its labels, at the most (but for numbers of
/// more than 64 bits).
const WIDTH: usize = 32;

/// What many samples of a family have in common.
#[derive(Debug)]
pub(crate) struct Many {
    /// The labels that all have.
    labels: Vec<u8>,
    /// What stands before the value of the last label.
    before: Text,
}

impl Many {
    /// Whether those below this have it in common, in the same family and
    /// level.
    pub(crate) fn are_below(&self, above: Above<'_>) -> bool {
        self.labels == above.labels
    }
}

impl<W: io::Write> Samples<'_, W> {
    /// Whether samples have nothing besides, so that many can be written at
    /// once.
    pub(crate) const fn are_alone(&self) -> bool {
        self.created.is_none()
    }

    /// The usual samples of series that have these labels and another.
    pub(crate) fn many(&self, above: Above<'_>) -> Many {
        let comma = if above.labels.is_empty() { "" } else { "," };
        let parts = [self.name, self.suffix, "{"].map(str::as_bytes);
        let last = [comma, above.name, "=\""].map(str::as_bytes);
        let before = [&parts[..], &[above.labels], &last].concat().concat();
        Many {
            labels: above.labels.to_vec(),
            before: Text::new(&before),
        }
    }

    /// Adds such samples, whose numbers are what `push` appends for each of
    /// these.
    #[inline]
    pub(crate) fn points<T>(
        &mut self,
        many: &Many,
        siblings: &Siblings<'_>,
        numbers: &[T],
        push: impl Fn(&T, &mut Lines<'_>),
    ) -> io::Result<()> {
        let texts = siblings.texts();
        let most = texts.len() + numbers.len() * (many.before.len() + WIDTH);
        self.out.lines(most, |lines| {
            let mut texts = texts;
            for (length, number) in siblings.each_length().zip(numbers) {
                lines.text(&many.before);
                lines.first(&mut texts, length);
                lines.bytes(b"\"} ");
                push(number, lines);
                lines.bytes(b"\n");
            }
        });
        self.out.write_full()
    }
}
