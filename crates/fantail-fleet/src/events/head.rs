//! The head of a message: the ids of its events.

use std::{error::Error, fmt, num::ParseIntError, str::FromStr};

/// The header of a message that has its head.
pub const HEADER: &str = "Fantail-Events";

/// The version of the format.
const VERSION: &str = "1";

/// The ids of the events of a message, and what its queue has dropped.
///
/// ```
/// use fantail_fleet::events::BatchHead;
///
/// let head = BatchHead { run: 10, first: 500, count: 20, queue: 11, dropped: 3 };
/// let text = head.to_string();
/// assert_eq!(text, "1 000000000000000a 500 20 000000000000000b 3");
/// assert_eq!(text.parse(), Ok(head));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchHead {
    /// The run of the numbers: random.
    pub run: u64,
    /// The number of the first event.
    pub first: u64,
    /// The number of events, at least 1.
    pub count: u64,
    /// The queue: random for each start of an exporter.
    pub queue: u64,
    /// The events that the queue has dropped since its start.
    pub dropped: u64,
}

impl BatchHead {
    /// Returns the number after that of the last event.
    pub(super) const fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

impl fmt::Display for BatchHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            first,
            count,
            queue,
            dropped,
        } = self;
        write!(
            f,
            "{VERSION} {run:016x} {first} {count} {queue:016x} {dropped}"
        )
    }
}

/// A text that is no head of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadError(());

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected `{VERSION} RUN FIRST COUNT QUEUE DROPPED` in the header {HEADER}"
        )
    }
}

impl Error for HeadError {}

impl From<ParseIntError> for HeadError {
    fn from(_: ParseIntError) -> Self {
        Self(())
    }
}

impl FromStr for BatchHead {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let words: Vec<&str> = text.split(' ').collect();
        let [VERSION, run, first, count, queue, dropped] = words.as_slice() else {
            return Err(HeadError(()));
        };
        let head = Self {
            run: u64::from_str_radix(run, 16)?,
            first: first.parse()?,
            count: count.parse()?,
            queue: u64::from_str_radix(queue, 16)?,
            dropped: dropped.parse()?,
        };
        let is_good = head.count > 0 && head.first.checked_add(head.count).is_some();
        is_good.then_some(head).ok_or(HeadError(()))
    }
}

#[cfg(test)]
mod tests {
    use super::BatchHead;

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "1",
            "2 0a 0 1 0b 0",
            "1 0a 0 0 0b 0",
            "1 0a 0 1 0b",
            "1 0a 0 1 0b 0 0",
            "1 0a 18446744073709551615 1 0b 0",
            "1 xx 0 1 0b 0",
            "1 0a -1 1 0b 0",
            "1  0a 0 1 0b 0",
        ] {
            assert!(text.parse::<BatchHead>().is_err(), "{text}");
        }
    }
}
