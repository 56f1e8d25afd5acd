//! Ids of what is written, by which a receiver knows what it has already.

use fantail_event::Timestamp;

use crate::text::decimal::write_u64;

/// Hands out the ids of what one worker writes:
/// `<start>-<run>-<worker>-<number>`.
///
/// The start is that of the program, in microseconds since 1970, the run a
/// number that another program started in the same microsecond (on another
/// host) hardly has, both in hexadecimal digits; worker and number, which
/// begins at 1 and rises, are decimal. Nothing that is written twice has the
/// same id, however alike: neither by a worker nor by two, nor after a
/// restart. Digits and hyphens are all that is in it.
///
/// ```
/// use fantail_event::Timestamp;
/// use fantail_format::EventIds;
///
/// let start = Timestamp::from_unix_micros(1_795_328_191_200_093);
/// let mut ids = EventIds::new(start, 0x5f0c2b66, 3);
/// assert_eq!(ids.next_id(), b"660d76b177b5d-5f0c2b66-3-1");
/// assert_eq!(ids.next_id(), b"660d76b177b5d-5f0c2b66-3-2");
/// ```
#[derive(Debug, Clone)]
pub struct EventIds {
    /// The id given last, or the part that all have.
    text: Vec<u8>,
    common: usize,
    last: u64,
}

impl Default for EventIds {
    /// Those of a program whose start does not matter, always the same.
    fn default() -> Self {
        Self::new(Timestamp::default(), 0, 0)
    }
}

impl EventIds {
    /// The ids of a worker of a program that was started then. Only one may
    /// hand them out.
    #[must_use]
    pub fn new(start: Timestamp, run: u32, worker: u32) -> Self {
        let text = format!("{:x}-{run:08x}-{worker}-", start.unix_micros());
        Self {
            common: text.len(),
            text: text.into_bytes(),
            last: 0,
        }
    }

    /// The next id.
    pub fn next_id(&mut self) -> &[u8] {
        self.last = self.last.saturating_add(1);
        self.text.truncate(self.common);
        write_u64(self.last, &mut self.text);
        &self.text
    }
}
