//! Texts in one buffer.

/// Texts in one buffer.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    pub(super) bytes: Vec<u8>,
    pub(super) ranges: Vec<(usize, usize)>,
}

impl Texts {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    /// Ends a text: the bytes since the end of the last text.
    pub(super) fn end(&mut self) {
        let start = self.ranges.last().map_or(0, |(_, end)| *end);
        self.ranges.push((start, self.bytes.len()));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let text = |&(start, end): &(usize, usize)| self.bytes.get(start..end);
        self.ranges
            .iter()
            .map(move |range| text(range).unwrap_or_default())
    }

    pub(super) fn sort_and_dedup(&mut self) {
        let Self { bytes, ranges } = self;
        let text = |&(start, end): &(usize, usize)| bytes.get(start..end);
        ranges.sort_unstable_by(|a, b| text(a).cmp(&text(b)));
        ranges.dedup_by(|a, b| text(a) == text(b));
    }
}
