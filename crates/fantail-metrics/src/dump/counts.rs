//! Rows of many series of which only the counts are asked for.
//!
//! What takes the time there is memory: so all counts of a piece are read
//! before the first is written, as none has to wait for another then.

use std::borrow::Cow;

use fantail_event::Dialect;

use crate::{
    Distribution, DovecotLabels, Siblings,
    dump::names::has_blank,
    lines::{self, Text},
};

/// The most digits of a count.
const DIGITS: usize = 20;

#[derive(Debug)]
pub(super) struct Counts {
    /// The metric, up to the label.
    name: Text,
    /// What stands before the count of the duration, and of each field.
    fields: Vec<Text>,
    labels: DovecotLabels,
    /// All that a row has besides the label, at the most.
    width: usize,
    counts: Vec<u64>,
}

impl Counts {
    /// For the series right below a metric whose name and fields, as they
    /// stand in an answer, are these.
    pub(super) fn new(name: &[u8], fields: &[Cow<'_, [u8]>], dialect: Dialect) -> Self {
        let name = Text::new(&[name, b"_"].concat());
        let fields = fields.iter().map(|field| [b"\t", &**field, b"\t"].concat());
        let fields: Vec<Text> = std::iter::once(b"\t".to_vec())
            .chain(fields)
            .map(|field| Text::new(&field))
            .collect();
        let before = fields.iter().map(|field| field.len() + DIGITS);
        Self {
            width: name.len() + before.sum::<usize>() + 1,
            name,
            fields,
            labels: DovecotLabels::new(dialect),
            counts: Vec::new(),
        }
    }

    /// Appends the rows of these series; `false` if their labels are not as
    /// usual, so that each has to be looked at.
    #[inline]
    pub(super) fn push(&mut self, siblings: &Siblings<'_>, out: &mut Vec<u8>) -> bool {
        self.counts.clear();
        let counts = siblings.distributions().iter().map(Distribution::count);
        self.counts.extend(counts);
        let (texts, (_, longest)) = (siblings.texts(), siblings.lengths());
        if !self.labels.are_plain(texts, longest) || has_blank(texts) {
            return false;
        }
        let each = self.counts.chunks_exact(self.fields.len());
        let most = texts.len() + each.len() * self.width;
        lines::append(out, most, |lines| {
            for (label, counts) in siblings.ranges().zip(each) {
                lines.text(&self.name);
                lines.part(texts, label);
                for (field, count) in self.fields.iter().zip(counts) {
                    lines.text(field);
                    lines.whole(*count);
                }
                lines.bytes(b"\n");
            }
        });
        true
    }
}
