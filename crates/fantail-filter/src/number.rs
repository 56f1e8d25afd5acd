//! Numbers and addresses as text, without allocating.

use core::fmt::{self, Write};

use fantail_event::Ip;

/// Room for the longest of them: an IPv6 address with a zone.
const ROOM: usize = 64;

/// A short text on the stack.
pub(crate) struct ShortText {
    bytes: [u8; ROOM],
    len: usize,
}

impl ShortText {
    pub(crate) fn of_number(number: i64) -> Self {
        Self::of(format_args!("{number}"))
    }

    pub(crate) fn of_ip(ip: Ip) -> Self {
        Self::of(format_args!("{ip}"))
    }

    fn of(text: fmt::Arguments<'_>) -> Self {
        let mut short = Self {
            bytes: [0; ROOM],
            len: 0,
        };
        // Neither a number nor an address is longer than the room.
        _ = short.write_fmt(text);
        short
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
