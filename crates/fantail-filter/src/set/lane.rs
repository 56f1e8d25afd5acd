//! The comparisons of one field that filters hang on, and how those are found
//! that a value meets.

use alloc::{boxed::Box, vec::Vec};
use core::hash::BuildHasher as _;

use fantail_event::{Ip, ValueRef};
use fantail_syntax::PatternPart;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::{
    anchor::{Anchors, NumberAnchor, TextAnchor, masked},
    hash,
    slots::Slot,
};
use crate::{FieldTest, number::ShortText};

/// The number of a comparison within its class.
pub(super) type AccessId = u32;

/// All comparisons of one slot that filters of a class hang on.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) slot: Slot,
    missing: Vec<AccessId>,
    texts: Table,
    /// Bits for the lengths and for the last bytes of the texts there: most
    /// values are none of them, and often the length shows it.
    lengths: u64,
    last_bytes: u64,
    prefixes: Vec<Affixes>,
    suffixes: Vec<Affixes>,
    /// Texts that are found by trying.
    any: Vec<AccessId>,
    /// Some of the patterns are good for digits, for addresses.
    digits: bool,
    address_texts: bool,
    numbers: Table,
    /// Ascending.
    at_least: Vec<(i64, AccessId)>,
    /// Descending.
    at_most: Vec<(i64, AccessId)>,
    networks: Vec<Networks>,
}

/// Comparisons by hash; those found are to be evaluated.
type Table = HashTable<Entry>;

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    access: AccessId,
}

/// Beginnings, or ends, of one length.
#[derive(Debug)]
struct Affixes {
    len: usize,
    table: Table,
}

/// Networks of one size.
#[derive(Debug)]
struct Networks {
    bits: u8,
    table: Table,
}

impl Lane {
    pub(super) fn new(slot: Slot) -> Self {
        Self {
            slot,
            missing: Vec::new(),
            texts: Table::new(),
            lengths: 0,
            last_bytes: 0,
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            any: Vec::new(),
            digits: false,
            address_texts: false,
            numbers: Table::new(),
            at_least: Vec::new(),
            at_most: Vec::new(),
            networks: Vec::new(),
        }
    }

    /// Enters a comparison; [`finish`](Self::finish) when all are there.
    pub(super) fn add(&mut self, access: AccessId, test: &FieldTest, state: &DefaultHashBuilder) {
        let anchors = Anchors::of(test);
        if anchors.missing {
            self.missing.push(access);
        }
        self.digits |= anchors.digits;
        self.address_texts |= anchors.address_text;
        match anchors.text {
            None => {}
            Some(TextAnchor::Any) => self.any.push(access),
            Some(TextAnchor::Equal(text)) => {
                self.lengths |= length_bit(text);
                self.last_bytes |= last_byte_bit(text);
                enter(&mut self.texts, hash::folded(state, text), access);
            }
            Some(TextAnchor::Prefix(parts)) => add_affix(&mut self.prefixes, parts, access, state),
            Some(TextAnchor::Suffix(parts)) => add_affix(&mut self.suffixes, parts, access, state),
        }
        match anchors.number {
            None => {}
            Some(NumberAnchor::Equal(number)) => {
                enter(&mut self.numbers, state.hash_one(number), access);
            }
            Some(NumberAnchor::AtLeast(number)) => self.at_least.push((number, access)),
            Some(NumberAnchor::AtMost(number)) => self.at_most.push((number, access)),
        }
        if let Some(network) = anchors.network {
            let (bits, address) = (network.bits(), network.ip().address);
            let known = self.networks.iter().position(|same| same.bits == bits);
            let at = known.unwrap_or_else(|| {
                let table = Table::new();
                self.networks.push(Networks { bits, table });
                self.networks.len() - 1
            });
            if let Some(same) = self.networks.get_mut(at) {
                let hash = state.hash_one(masked(address, bits));
                enter(&mut same.table, hash, access);
            }
        }
    }

    pub(super) fn finish(&mut self) {
        self.at_least.sort_unstable();
        self.at_most.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Calls with all comparisons that may hold for this value, and with some
    /// that do not. `elements` calls with each element of the lists in this
    /// slot; only then can a comparison come more than once.
    #[inline]
    pub(super) fn find(
        &self,
        value: Option<ValueRef<'_>>,
        state: &DefaultHashBuilder,
        elements: impl FnOnce(&mut dyn FnMut(&[u8])),
        found: &mut impl FnMut(AccessId),
    ) {
        match value {
            None | Some(ValueRef::Str([])) => all(&self.missing, found),
            Some(ValueRef::Str(text)) => self.find_text(text, state, found),
            Some(ValueRef::Int(number)) => self.find_number(number, state, found),
            Some(ValueRef::Ip(ip)) => self.find_address(ip, state, found),
            Some(ValueRef::List) => {
                all(&self.missing, found);
                elements(&mut |element| self.find_text(element, state, found));
            }
            Some(ValueRef::Time(_)) => {}
        }
    }

    fn find_text(&self, text: &[u8], state: &DefaultHashBuilder, found: &mut impl FnMut(AccessId)) {
        if self.lengths & length_bit(text) != 0 && self.last_bytes & last_byte_bit(text) != 0 {
            hits(&self.texts, hash::folded(state, text), found);
        }
        self.find_patterns(text, state, found);
    }

    fn find_patterns(
        &self,
        text: &[u8],
        state: &DefaultHashBuilder,
        found: &mut impl FnMut(AccessId),
    ) {
        for same in &self.prefixes {
            if let Some(prefix) = text.get(..same.len) {
                hits(&same.table, hash::folded(state, prefix), found);
            }
        }
        for same in &self.suffixes {
            let start = text.len().checked_sub(same.len);
            if let Some(suffix) = start.and_then(|start| text.get(start..)) {
                hits(&same.table, hash::folded(state, suffix), found);
            }
        }
        all(&self.any, found);
    }

    fn find_number(
        &self,
        number: i64,
        state: &DefaultHashBuilder,
        found: &mut impl FnMut(AccessId),
    ) {
        if !self.numbers.is_empty() {
            hits(&self.numbers, state.hash_one(number), found);
        }
        for (_, access) in self.at_least.iter().take_while(|(from, _)| *from <= number) {
            found(*access);
        }
        for (_, access) in self.at_most.iter().take_while(|(to, _)| *to >= number) {
            found(*access);
        }
        if self.digits {
            self.find_patterns(ShortText::of_number(number).as_bytes(), state, found);
        }
    }

    fn find_address(&self, ip: Ip, state: &DefaultHashBuilder, found: &mut impl FnMut(AccessId)) {
        // As networks are looked at: an IPv4 address within IPv6 is the former.
        let address = ip.address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        for same in self.networks.iter().filter(|same| same.bits <= width) {
            hits(
                &same.table,
                state.hash_one(masked(address, same.bits)),
                found,
            );
        }
        if self.address_texts {
            self.find_patterns(ShortText::of_ip(ip).as_bytes(), state, found);
        }
    }
}

fn add_affix(
    affixes: &mut Vec<Affixes>,
    parts: &[PatternPart],
    access: AccessId,
    state: &DefaultHashBuilder,
) {
    let bytes: Box<[u8]> = parts
        .iter()
        .filter_map(|part| match part {
            PatternPart::Byte(byte) => Some(*byte),
            PatternPart::AnyByte | PatternPart::AnyRun => None,
        })
        .collect();
    let len = bytes.len();
    let known = affixes.iter().position(|same| same.len == len);
    let at = known.unwrap_or_else(|| {
        let table = Table::new();
        affixes.push(Affixes { len, table });
        affixes.len() - 1
    });
    if let Some(same) = affixes.get_mut(at) {
        enter(&mut same.table, hash::folded(state, &bytes), access);
    }
}

fn length_bit(text: &[u8]) -> u64 {
    1 << (text.len() % 64)
}

/// The same for small and capital letters.
fn last_byte_bit(text: &[u8]) -> u64 {
    1 << (text.last().map_or(0, |byte| byte | 0x20) % 64)
}

fn enter(table: &mut Table, hash: u64, access: AccessId) {
    table.insert_unique(hash, Entry { hash, access }, |entry| entry.hash);
}

#[inline]
fn hits(table: &Table, hash: u64, found: &mut impl FnMut(AccessId)) {
    for entry in table.iter_hash(hash) {
        if entry.hash == hash {
            found(entry.access);
        }
    }
}

fn all(accesses: &[AccessId], found: &mut impl FnMut(AccessId)) {
    for access in accesses {
        found(*access);
    }
}
