//! Ids of exported events, by which a receiver recognises repeats.

use fantail_event::Timestamp;

use crate::text::decimal::write_u64;

/// The ids of the events that one worker exports:
/// `<start>-<run>-<worker>-<number>`.
///
/// | part | meaning | digits |
/// | --- | --- | --- |
/// | start | start of the program, in microseconds since 1970 | hexadecimal |
/// | run | a random number, which tells programs apart that started in the same microsecond | hexadecimal |
/// | worker | number of the worker | decimal |
/// | number | 1 for the first event of the worker, one more for each event | decimal |
///
/// No two exports have the same id, also of two workers and after a restart.
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
    /// The last id, or the part that all ids begin with.
    text: Vec<u8>,
    common: usize,
    last: u64,
}

impl Default for EventIds {
    /// Ids of a program that started in 1970, run and worker 0: the same each time.
    fn default() -> Self {
        Self::new(Timestamp::default(), 0, 0)
    }
}

impl EventIds {
    /// Creates the ids of a worker. Each worker of a program needs a number of its
    /// own.
    #[must_use]
    pub fn new(start: Timestamp, run: u32, worker: u32) -> Self {
        let text = format!("{:x}-{run:08x}-{worker}-", start.unix_micros());
        Self {
            common: text.len(),
            text: text.into_bytes(),
            last: 0,
        }
    }

    /// Returns the next id.
    pub fn next_id(&mut self) -> &[u8] {
        self.last = self.last.saturating_add(1);
        self.text.truncate(self.common);
        write_u64(self.last, &mut self.text);
        &self.text
    }
}
