//! The keys of filters and metrics, looked up by their bytes.
//!
//! Events have a dozen keys each, and most of them have no slot. The table
//! contains only keys of the configuration, never those of clients: clients
//! cannot fill it, and the configuration determines the cost of a look-up. So
//! the hash only needs to be fast.

use fantail_event::{DURATION, internal::same_name};
use fantail_filter::internal::{Slot, Slots};

/// Keys with their slots. `duration` is not one of them, because its value is
/// not a field of the event.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The entries: a power of two with at least half of them free, or none.
    entries: Box<[Option<Entry>]>,
    names: Vec<u8>,
    /// A bit for the length and the last byte of each key.
    marks: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    slot: Slot,
    start: u32,
    end: u32,
}

impl Keys {
    pub(super) fn new(slots: &Slots) -> Self {
        let mut keys = Self::default();
        let wanted = slots.iter().filter(|(_, key, _)| *key != DURATION);
        let wanted: Vec<_> = wanted.collect();
        if wanted.is_empty() {
            return keys;
        }
        let room = (4 * wanted.len()).next_power_of_two();
        keys.entries = vec![None; room].into_boxed_slice();
        for (slot, key, _) in wanted {
            keys.marks |= mark(key);
            let start = offset(keys.names.len());
            keys.names.extend_from_slice(key);
            let end = offset(keys.names.len());
            keys.enter(Entry {
                hash: hash(key),
                slot,
                start,
                end,
            });
        }
        keys
    }

    fn enter(&mut self, entry: Entry) {
        let mut at = self.first_index(entry.hash);
        while let Some(Some(_)) = self.entries.get(at) {
            at = self.next_index(at);
        }
        if let Some(free) = self.entries.get_mut(at) {
            *free = Some(entry);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the slot of a key.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<Slot> {
        // Most keys have no slot.
        if self.marks & mark(key) == 0 {
            return None;
        }
        let hash = hash(key);
        let mut at = self.first_index(hash);
        // A search ends at the first free entry.
        while let Some(Some(entry)) = self.entries.get(at) {
            if entry.hash == hash && same_name(self.name(entry), key) {
                return Some(entry.slot);
            }
            at = self.next_index(at);
        }
        None
    }

    #[inline]
    fn name(&self, entry: &Entry) -> &[u8] {
        let name = self.names.get(entry.start as usize..entry.end as usize);
        name.unwrap_or_default()
    }

    #[inline]
    fn first_index(&self, hash: u32) -> usize {
        hash as usize & self.entries.len().wrapping_sub(1)
    }

    #[inline]
    fn next_index(&self, at: usize) -> usize {
        (at + 1) & self.entries.len().wrapping_sub(1)
    }
}

/// All keys of a configuration have less than 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[inline]
fn mark(key: &[u8]) -> u64 {
    let last = key.last().copied().unwrap_or_default();
    1 << ((key.len() + 5 * usize::from(last)) % 64)
}

/// Returns the hash of the first and the last eight bytes, and the length.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u32 {
    let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => (
                u32::from_le_bytes(*first).into(),
                u32::from_le_bytes(*last).into(),
            ),
            _ => {
                let shift = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
                (bytes.iter().fold(0, shift), 0)
            }
        },
    };
    let mixed =
        (first ^ last.rotate_left(29) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The middle of a product depends on all bits below it.
    u32::try_from(mixed >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use fantail_filter::FilterSet;

    use super::{Keys, hash};

    #[test]
    fn keys_are_found_and_others_are_not() {
        let mut set = FilterSet::new();
        assert!(Keys::new(set.slots()).find(b"user").is_none());
        let names: Vec<String> = (0..2_000)
            .map(|n| "x".repeat(n % 17) + &n.to_string())
            .collect();
        set.add_slot(b"duration");
        for name in &names {
            set.add_slot(name.as_bytes());
        }
        let keys = Keys::new(set.slots());
        for name in &names {
            let expected = set.slots().field(name.as_bytes());
            assert!(expected.is_some());
            assert_eq!(keys.find(name.as_bytes()), expected);
        }
        for other in ["", "duration", "x", "2001", "xxxxxxxxxxxxxxxxxxxxxxxxxx"] {
            assert_eq!(keys.find(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn hashes_of_like_keys_differ() {
        let keys = [
            "net_in_bytes",
            "net_out_bytes",
            "cmd_name",
            "cmd_args",
            "a",
            "b",
            "",
            "ab",
            "ba",
        ];
        let hashes: std::collections::HashSet<u32> =
            keys.iter().map(|key| hash(key.as_bytes())).collect();
        assert_eq!(hashes.len(), keys.len());
    }
}
