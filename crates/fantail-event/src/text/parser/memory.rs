//! Caches of a parser.

use super::categories::CategoryHints;
use crate::{
    Ip,
    model::{ip::is_usual_v4, name::same_name},
    text::numbers::integer,
};

/// The caches of a parser.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) category_hints: CategoryHints,
    pub(super) last_second: LastSecond,
    pub(super) addresses: Addresses,
}

/// Recently parsed IPv4 addresses, by their last byte: clients repeat a few
/// addresses.
#[derive(Debug, Default)]
pub(super) struct Addresses([Address; 8]);

/// The text of an address; empty if unused.
#[derive(Debug, Default)]
struct Address {
    bytes: [u8; 15],
    length: u8,
}

impl Addresses {
    /// Whether a text is an address.
    #[inline(never)]
    pub(super) fn contain(&mut self, text: &[u8]) -> bool {
        // An empty text is no address.
        let last = text.last().copied().unwrap_or_default();
        let Some(known) = self.0.get_mut(usize::from(last % 8)) else {
            return false;
        };
        let same = known.bytes.get(..known.length.into());
        if !text.is_empty() && same.is_some_and(|same| same_name(same, text)) {
            return true;
        }
        if !is_usual_v4(text) {
            return Ip::parse_sent(text).is_some();
        }
        if let (Some(bytes), Ok(length)) =
            (known.bytes.get_mut(..text.len()), text.len().try_into())
        {
            bytes.copy_from_slice(text);
            known.length = length;
        }
        true
    }
}

/// The second that was parsed last: successive times mostly have the same second.
#[derive(Debug)]
pub(super) struct LastSecond {
    digits: [u8; 10],
    number: i64,
}

impl Default for LastSecond {
    fn default() -> Self {
        Self {
            digits: *b"0000000000",
            number: 0,
        }
    }
}

impl LastSecond {
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<i64> {
        match <&[u8; 10]>::try_from(text).ok() {
            Some(digits) if *digits == self.digits => Some(self.number),
            _ => self.other(text),
        }
    }

    #[inline(never)]
    fn other(&mut self, text: &[u8]) -> Option<i64> {
        let number = integer(text)?;
        if let Ok(digits) = text.try_into() {
            *self = Self { digits, number };
        }
        Some(number)
    }
}
