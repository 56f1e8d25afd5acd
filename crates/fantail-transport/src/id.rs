//! What tells an exported event from all others.
//!
//! A target that got an event may die before it confirms it, and gets it
//! again then. With the id a receiver can drop the second one.

use std::{fmt, num::NonZeroU64};

/// The id of an exported event: where it comes from, and its number there.
///
/// Displayed as 16 hexadecimal digits, a hyphen and the number.
///
/// ```
/// use fantail_transport::Origin;
///
/// let origin = Origin::new(b"mail.example.org", b"5f0c2b66", 1_700_000_000_000_000_000);
/// let mut ids = origin.ids();
/// let (first, second) = (ids.next_id(), ids.next_id());
/// assert_eq!(first.to_string(), "f4c02e56356571a4-1");
/// assert_eq!((second.origin(), second.sequence()), (origin, 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    origin: Origin,
    sequence: NonZeroU64,
}

/// One run of a program on one host: a hash of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(u64);

/// Hands out the ids of one origin.
#[derive(Debug, Clone)]
pub struct EventIds {
    origin: Origin,
    last: u64,
}

impl EventId {
    /// The id with this number; none has the number 0.
    #[must_use]
    pub const fn new(origin: Origin, sequence: NonZeroU64) -> Self {
        Self { origin, sequence }
    }

    /// Which run of which program it comes from.
    #[must_use]
    pub const fn origin(self) -> Origin {
        self.origin
    }

    /// Which event of that run it is, from 1.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.sequence.get()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.origin.0, self.sequence)
    }
}

impl Origin {
    /// The origin of a program that was started at this time (of any unit
    /// and epoch, but so fine that no two starts share it), on this host,
    /// after this boot (`/proc/sys/kernel/random/boot_id`).
    #[must_use]
    pub fn new(host: &[u8], boot: &[u8], start: u128) -> Self {
        let mut hash = Fnv::default();
        for part in [host, boot, &start.to_be_bytes()] {
            hash.write(&(part.len() as u64).to_be_bytes());
            hash.write(part);
        }
        Self(hash.0)
    }

    /// The origin of this number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The number of this origin.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Hands out this origin's ids, from 1. Only one may do so.
    #[must_use]
    pub const fn ids(self) -> EventIds {
        EventIds {
            origin: self,
            last: 0,
        }
    }
}

impl EventIds {
    /// The next id.
    pub const fn next_id(&mut self) -> EventId {
        self.last = self.last.saturating_add(1);
        EventId {
            origin: self.origin,
            sequence: NonZeroU64::MIN.saturating_add(self.last - 1),
        }
    }
}

/// FNV-1a of 64 bits: the ids of a version have to be those of the next.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
