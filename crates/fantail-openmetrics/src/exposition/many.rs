//! The samples of many series that have but one label.
//!
//! Here nothing is looked at: that the values of the labels may be written as
//! they are, the caller knows.

use std::io;

use fantail_metrics::{
    Siblings,
    lines::{Lines, Text},
};

use super::Samples;

/// How much a sample has besides its name and label, at the most (but for
/// numbers of more than 64 bits).
const WIDTH: usize = 32;

/// What many samples of a family have in common.
#[derive(Debug)]
pub(crate) struct Many {
    /// What stands before the value of the label.
    before: Text,
}

impl<W: io::Write> Samples<'_, W> {
    /// Whether samples have nothing besides, so that many can be written at
    /// once.
    pub(crate) const fn are_alone(&self) -> bool {
        self.created.is_none()
    }

    /// The usual samples of series that have but the label with this name.
    pub(crate) fn many(&self, label: &str) -> Many {
        let before = [self.name, self.suffix, "{", label, "=\""].concat();
        Many {
            before: Text::new(before.as_bytes()),
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
