//! Payloads that travel together.

/// Payloads one after another in one piece of memory.
///
/// Whoever makes events gathers a batch without locks, and hands it over
/// whole: one lock for many events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Where the payload ends.
    end: usize,
    /// When it was offered to a queue, in milliseconds of Unix time; else 0.
    offered: u64,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Adds one payload: an exported event as its format wrote it, without an
    /// end of line.
    pub fn push(&mut self, payload: &[u8]) {
        self.push_offered(payload, 0);
    }

    /// Adds one payload that was offered to a queue at this Unix time.
    pub(crate) fn push_offered(&mut self, payload: &[u8], millis: u64) {
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry {
            end: self.bytes.len(),
            offered: millis,
        });
    }

    /// Adds payloads, with all that is known of them.
    pub(crate) fn extend(&mut self, payloads: Payloads<'_>) {
        let (old, new) = (payloads.start, self.bytes.len());
        self.bytes.extend_from_slice(payloads.text());
        let moved = |entry: &Entry| Entry {
            end: entry.end - old + new,
            ..*entry
        };
        self.entries.extend(payloads.entries.iter().map(moved));
    }

    /// All are offered to a queue at this Unix time.
    pub(crate) fn offered(&mut self, millis: u64) {
        for entry in &mut self.entries {
            entry.offered = millis;
        }
    }

    /// How many payloads it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes its payloads have together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Empties it; its memory is kept for the next payloads.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// All its payloads.
    #[must_use]
    pub fn payloads(&self) -> Payloads<'_> {
        Payloads {
            bytes: &self.bytes,
            entries: &self.entries,
            start: 0,
        }
    }

    /// The payloads in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.payloads().iter()
    }
}

/// Payloads of a batch, or some of them.
///
/// ```
/// use fantail_transport::Batch;
///
/// let mut batch = Batch::new();
/// for payload in ["one", "two", "three"] {
///     batch.push(payload.as_bytes());
/// }
/// let (first, others) = batch.payloads().split_at(1);
/// assert_eq!((first.len(), first.bytes()), (1, 3));
/// assert_eq!(others.iter().collect::<Vec<_>>(), [b"two".as_slice(), b"three"]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Payloads<'a> {
    /// Of the whole batch.
    bytes: &'a [u8],
    entries: &'a [Entry],
    /// Where the first of these payloads starts.
    start: usize,
}

impl<'a> Payloads<'a> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes they have together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.last().map_or(0, |last| last.end - self.start)
    }

    /// Each in its order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let mut start = self.start;
        self.entries.iter().map(move |entry| {
            let bytes = self.bytes.get(start..entry.end).unwrap_or_default();
            start = entry.end;
            bytes
        })
    }

    /// All their bytes.
    fn text(self) -> &'a [u8] {
        let end = self.start + self.bytes();
        self.bytes.get(self.start..end).unwrap_or_default()
    }

    /// How many at the front are at most so many, with at most so many bytes.
    pub(crate) fn fitting(self, payloads: usize, bytes: usize) -> usize {
        let end = self.start.saturating_add(bytes);
        let entries = self.entries.get(..payloads).unwrap_or(self.entries);
        entries.partition_point(|entry| entry.end <= end)
    }

    /// How many at the front have at least so many bytes; all if they have
    /// fewer.
    pub(crate) fn covering(self, bytes: usize) -> usize {
        if bytes == 0 {
            return 0;
        }
        let end = self.start.saturating_add(bytes);
        let short = self.entries.partition_point(|entry| entry.end < end);
        (short + 1).min(self.entries.len())
    }

    /// When the first of them was offered to a queue, in Unix milliseconds.
    pub(crate) fn oldest(self) -> Option<u64> {
        self.entries.first().map(|entry| entry.offered)
    }

    /// How many at the front were offered before this time.
    pub(crate) fn offered_before(self, millis: u64) -> usize {
        let entries = self.entries.iter();
        entries.take_while(|entry| entry.offered < millis).count()
    }

    /// Each with the time at which it was offered.
    pub(crate) fn iter_offered(self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let times = self.entries.iter().map(|entry| entry.offered);
        self.iter().zip(times)
    }

    /// The first `count`, and the others; all and none if there are fewer.
    #[must_use]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let (first, others) = self.entries.split_at(count.min(self.entries.len()));
        let middle = first.last().map_or(self.start, |last| last.end);
        let part = |entries, start| Self {
            bytes: self.bytes,
            entries,
            start,
        };
        (part(first, self.start), part(others, middle))
    }
}
