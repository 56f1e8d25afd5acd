//! Batches of payloads.

/// Payloads one after another in one allocation.
///
/// A producer fills a batch without locks and offers it whole, so that many
/// events take one lock.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// The id of the first payload; the others have the numbers that follow.
    first: Option<PayloadId>,
}

/// The id of a payload: a queue gives it when it accepts the payload, and keeps it while
/// the payload waits and is sent again. In a spool it survives restarts.
///
/// No two payloads of a queue have the same id, also not after a restart. Within a run
/// the numbers rise; a number that is missing belongs to a payload that was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadId {
    /// A random number of the queue, or of the file of its spool.
    pub run: u64,
    /// The number within the run.
    pub number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// End of the payload in the bytes of the batch.
    end: usize,
    /// Time of the offer to a queue in Unix milliseconds; 0 before.
    offered: u64,
}

impl Batch {
    /// Returns an empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
            first: None,
        }
    }

    /// Adds one payload: an exported event in its format, without a line end.
    pub fn push(&mut self, payload: &[u8]) {
        self.push_offered(payload, 0);
    }

    /// Adds one payload with the Unix time of its offer to a queue.
    pub(crate) fn push_offered(&mut self, payload: &[u8], millis: u64) {
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry {
            end: self.bytes.len(),
            offered: millis,
        });
    }

    /// Sets the id of the first payload.
    pub(crate) const fn begin_at(&mut self, id: PayloadId) {
        self.first = Some(id);
    }

    /// Adds payloads with the times of their offers, and with their ids if the batch is
    /// empty.
    pub(crate) fn extend(&mut self, payloads: Payloads<'_>) {
        if self.is_empty() {
            self.first = payloads.first;
        }
        let (old, new) = (payloads.start, self.bytes.len());
        self.bytes.extend_from_slice(payloads.text());
        let moved = |entry: &Entry| Entry {
            end: entry.end - old + new,
            ..*entry
        };
        self.entries.extend(payloads.entries.iter().map(moved));
    }

    /// Returns the bytes of its allocations.
    pub(crate) fn allocated(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Returns by how many bytes the allocations grow for these payloads, if
    /// [`make_room`](Self::make_room) enlarges them.
    pub(crate) fn growth(&self, payloads: Payloads<'_>) -> usize {
        let (bytes, entries) = self.enlarged(payloads);
        let more = entries - self.entries.capacity();
        bytes - self.bytes.capacity() + more * size_of::<Entry>()
    }

    /// Enlarges the allocations for these payloads.
    pub(crate) fn make_room(&mut self, payloads: Payloads<'_>) {
        let (bytes, entries) = self.enlarged(payloads);
        self.bytes.reserve_exact(bytes - self.bytes.len());
        self.entries.reserve_exact(entries - self.entries.len());
    }

    /// The capacities for these payloads, too; doubled, as those of a `Vec`.
    fn enlarged(&self, payloads: Payloads<'_>) -> (usize, usize) {
        let enlarged = |capacity: usize, needed: usize| match needed <= capacity {
            true => capacity,
            false => needed.max(2 * capacity),
        };
        (
            enlarged(self.bytes.capacity(), self.bytes.len() + payloads.bytes()),
            enlarged(self.entries.capacity(), self.entries.len() + payloads.len()),
        )
    }

    /// Sets the time of the offer of all payloads.
    pub(crate) fn offered(&mut self, millis: u64) {
        for entry in &mut self.entries {
            entry.offered = millis;
        }
    }

    /// Returns the number of payloads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the batch has no payload.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the bytes of all payloads.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Removes all payloads and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.first = None;
    }

    /// Returns a view of all payloads.
    #[must_use]
    pub fn payloads(&self) -> Payloads<'_> {
        Payloads {
            bytes: &self.bytes,
            entries: &self.entries,
            start: 0,
            first: self.first,
        }
    }

    /// Returns the payloads in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.payloads().iter()
    }
}

/// A view of consecutive payloads of a batch.
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
    /// Bytes of the whole batch.
    bytes: &'a [u8],
    entries: &'a [Entry],
    /// Start of the first payload of the view.
    start: usize,
    first: Option<PayloadId>,
}

impl<'a> Payloads<'a> {
    /// Returns the number of payloads.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the view has no payload.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the id of the first payload; `None` for payloads that no queue accepted.
    /// The others have the numbers that follow.
    #[must_use]
    pub const fn first_id(&self) -> Option<PayloadId> {
        self.first
    }

    /// Returns the bytes of all payloads.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.last().map_or(0, |last| last.end - self.start)
    }

    /// Returns the payloads in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let mut start = self.start;
        self.entries.iter().map(move |entry| {
            let bytes = self.bytes.get(start..entry.end);
            debug_assert!(bytes.is_some(), "a payload ends outside its batch");
            start = entry.end;
            bytes.unwrap_or_default()
        })
    }

    /// Returns the bytes of all payloads, without gaps.
    fn text(self) -> &'a [u8] {
        let end = self.start + self.bytes();
        let bytes = self.bytes.get(self.start..end);
        debug_assert!(bytes.is_some(), "a payload ends outside its batch");
        bytes.unwrap_or_default()
    }

    /// Returns how many payloads at the front fit into these limits.
    pub(crate) fn fitting(self, payloads: usize, bytes: usize) -> usize {
        let end = self.start.saturating_add(bytes);
        let entries = self.entries.get(..payloads).unwrap_or(self.entries);
        entries.partition_point(|entry| entry.end <= end)
    }

    /// Returns how many payloads at the front have at least this many bytes
    /// together, or all if their bytes are fewer.
    pub(crate) fn covering(self, bytes: usize) -> usize {
        if bytes == 0 {
            return 0;
        }
        let end = self.start.saturating_add(bytes);
        let short = self.entries.partition_point(|entry| entry.end < end);
        (short + 1).min(self.entries.len())
    }

    /// Returns when the first payload was offered, in Unix milliseconds.
    pub(crate) fn oldest(self) -> Option<u64> {
        self.entries.first().map(|entry| entry.offered)
    }

    /// Returns how many payloads at the front were offered before this time.
    pub(crate) fn offered_before(self, millis: u64) -> usize {
        let entries = self.entries.iter();
        entries.take_while(|entry| entry.offered < millis).count()
    }

    /// Returns the payloads with the times of their offers.
    pub(crate) fn iter_offered(self) -> impl Iterator<Item = (&'a [u8], u64)> {
        let times = self.entries.iter().map(|entry| entry.offered);
        self.iter().zip(times)
    }

    /// Splits the view after `count` payloads, or after the last one.
    #[must_use]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let (first, others) = self.entries.split_at(count.min(self.entries.len()));
        let middle = first.last().map_or(self.start, |last| last.end);
        let part = |entries, start, first| Self {
            bytes: self.bytes,
            entries,
            start,
            first,
        };
        let later = self.first.map(|id| PayloadId {
            number: id.number + first.len() as u64,
            ..id
        });
        (
            part(first, self.start, self.first),
            part(others, middle, later),
        )
    }
}
