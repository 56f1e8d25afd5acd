//! The comparisons of one field that filters hang on, and how those are found
//! that a value meets.
//!
//! A [`Lane`] is what every event of the class looks at, and fits into a cache
//! line: whether a text can be among those asked for at all, and their table.
//! What few filters ask for, patterns, numbers, networks, is behind a pointer.

use alloc::{boxed::Box, vec::Vec};

use core::ops::RangeInclusive;

use fantail_event::{Ip, ValueRef};
use fantail_syntax::PatternPart;

use super::{
    anchor::{Anchors, NumberAnchor, TextAnchor, masked},
    hash::Seed,
    slots::Slot,
    table::Table,
};
use crate::{
    FieldTest,
    number::{ShortText, around_float},
};

/// The number of a comparison within its class.
pub(super) type AccessId = u32;

/// All comparisons of one slot that filters of a class hang on.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) slot: Slot,
    /// Bits for the lengths and for the last bytes of the texts there: most
    /// values are none of them, and often the length shows it.
    lengths: u64,
    last_bytes: u64,
    texts: Table,
    others: Option<Box<Others>>,
}

/// What is found otherwise than by equal text.
#[derive(Debug, Default)]
struct Others {
    missing: Vec<AccessId>,
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
    /// Calls with all comparisons that may hold for this value, and with some
    /// that do not. Only for a list can a comparison come more than once.
    #[inline]
    pub(super) fn find(
        &self,
        value: Option<ValueRef<'_>>,
        seed: &Seed,
        found: &mut impl FnMut(AccessId),
    ) {
        match value {
            None => {
                if let Some(others) = &self.others {
                    all(&others.missing, found);
                }
            }
            Some(ValueRef::Str(text)) if !text.is_empty() => self.find_text(text, seed, found),
            Some(value) => self.find_other(value, seed, found),
        }
    }

    #[inline]
    fn find_text(&self, text: &[u8], seed: &Seed, found: &mut impl FnMut(AccessId)) {
        if self.lengths & length_bit(text) != 0 && self.last_bytes & last_byte_bit(text) != 0 {
            self.texts.find(seed.folded(text), &mut *found);
        }
        if let Some(others) = &self.others {
            others.find_patterns(text, seed, found);
        }
    }

    fn find_other(&self, value: ValueRef<'_>, seed: &Seed, found: &mut impl FnMut(AccessId)) {
        match value {
            ValueRef::List(list) => list.for_each(|element| self.find_text(element, seed, found)),
            ValueRef::Bool(truth) => {
                self.find_text(ShortText::of_bool(truth).as_bytes(), seed, found);
            }
            ValueRef::Float(number) => {
                self.find_text(ShortText::of_float(number).as_bytes(), seed, found);
            }
            _ => {}
        }
        let Some(others) = &self.others else {
            return;
        };
        match value {
            ValueRef::Str(_) | ValueRef::List(_) => all(&others.missing, found),
            ValueRef::Int(number) => {
                others.find_number(number..=number, seed, found);
                others.find_digits(ShortText::of_number, number, seed, found);
            }
            ValueRef::Unsigned(number) => {
                others.find_number(i64::MAX..=i64::MAX, seed, found);
                others.find_digits(ShortText::of_unsigned, number, seed, found);
            }
            ValueRef::Float(number) => {
                if let Some((below, above)) = around_float(number) {
                    others.find_number(below..=above, seed, found);
                }
            }
            ValueRef::Ip(ip) => others.find_address(ip.address(), seed, found),
            ValueRef::Time(_) | ValueRef::Bool(_) => {}
        }
    }
}

impl Others {
    fn find_patterns(&self, text: &[u8], seed: &Seed, found: &mut impl FnMut(AccessId)) {
        for same in &self.prefixes {
            if let Some(prefix) = text.get(..same.len) {
                same.table.find(seed.folded(prefix), &mut *found);
            }
        }
        for same in &self.suffixes {
            let start = text.len().checked_sub(same.len);
            if let Some(suffix) = start.and_then(|start| text.get(start..)) {
                same.table.find(seed.folded(suffix), &mut *found);
            }
        }
        all(&self.any, found);
    }

    /// For a number between two integers that are next to each other, or one.
    #[inline]
    fn find_number(
        &self,
        number: RangeInclusive<i64>,
        seed: &Seed,
        found: &mut impl FnMut(AccessId),
    ) {
        let (low, high) = number.into_inner();
        if !self.numbers.is_empty() && low == high {
            self.numbers.find(seed.hash(low), &mut *found);
        }
        for (_, access) in self.at_least.iter().take_while(|(from, _)| *from <= high) {
            found(*access);
        }
        for (_, access) in self.at_most.iter().take_while(|(to, _)| *to >= low) {
            found(*access);
        }
    }

    fn find_digits<T>(
        &self,
        text: fn(T) -> ShortText,
        number: T,
        seed: &Seed,
        found: &mut impl FnMut(AccessId),
    ) {
        if self.digits {
            self.find_patterns(text(number).as_bytes(), seed, found);
        }
    }

    fn find_address(&self, ip: Ip, seed: &Seed, found: &mut impl FnMut(AccessId)) {
        // As networks are looked at: an IPv4 address within IPv6 is the former.
        let address = ip.address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        for same in self.networks.iter().filter(|same| same.bits <= width) {
            let hash = seed.hash(masked(address, same.bits));
            same.table.find(hash, &mut *found);
        }
        if self.address_texts {
            self.find_patterns(ShortText::of_ip(ip).as_bytes(), seed, found);
        }
    }
}

/// A lane in the making.
#[derive(Debug, Default)]
pub(super) struct LaneBuilder {
    lengths: u64,
    last_bytes: u64,
    texts: Hashed,
    has_others: bool,
    missing: Vec<AccessId>,
    prefixes: Vec<(usize, Hashed)>,
    suffixes: Vec<(usize, Hashed)>,
    any: Vec<AccessId>,
    digits: bool,
    address_texts: bool,
    numbers: Hashed,
    at_least: Vec<(i64, AccessId)>,
    at_most: Vec<(i64, AccessId)>,
    networks: Vec<(u8, Hashed)>,
}

type Hashed = Vec<(u64, AccessId)>;

impl LaneBuilder {
    /// Enters a comparison.
    pub(super) fn add(&mut self, access: AccessId, test: &FieldTest, seed: &Seed) {
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
                self.texts.push((seed.folded(text), access));
            }
            Some(TextAnchor::Prefix(parts)) => add_affix(&mut self.prefixes, parts, access, seed),
            Some(TextAnchor::Suffix(parts)) => add_affix(&mut self.suffixes, parts, access, seed),
        }
        match anchors.number {
            None => {}
            Some(NumberAnchor::Equal(number)) => self.numbers.push((seed.hash(number), access)),
            Some(NumberAnchor::AtLeast(number)) => self.at_least.push((number, access)),
            Some(NumberAnchor::AtMost(number)) => self.at_most.push((number, access)),
        }
        if let Some(network) = anchors.network {
            let (bits, address) = (network.bits(), network.ip().address);
            let hash = seed.hash(masked(address, bits));
            of_size(&mut self.networks, bits).push((hash, access));
        }
        let is_text = matches!(anchors.text, Some(TextAnchor::Equal(_)));
        self.has_others |=
            anchors.missing || anchors.number.is_some() || anchors.network.is_some() || !is_text;
    }

    pub(super) fn finish(mut self, slot: Slot) -> Lane {
        self.at_least.sort_unstable();
        self.at_most.sort_unstable_by(|a, b| b.cmp(a));
        let affixes = |(len, hashed)| Affixes {
            len,
            table: Table::new(hashed),
        };
        let networks = |(bits, hashed)| Networks {
            bits,
            table: Table::new(hashed),
        };
        let others = self.has_others.then(|| Others {
            missing: self.missing,
            prefixes: self.prefixes.into_iter().map(affixes).collect(),
            suffixes: self.suffixes.into_iter().map(affixes).collect(),
            any: self.any,
            digits: self.digits,
            address_texts: self.address_texts,
            numbers: Table::new(self.numbers),
            at_least: self.at_least,
            at_most: self.at_most,
            networks: self.networks.into_iter().map(networks).collect(),
        });
        Lane {
            slot,
            lengths: self.lengths,
            last_bytes: self.last_bytes,
            texts: Table::new(self.texts),
            others: others.map(Box::new),
        }
    }
}

fn add_affix(
    affixes: &mut Vec<(usize, Hashed)>,
    parts: &[PatternPart],
    access: AccessId,
    seed: &Seed,
) {
    let byte = |part: &PatternPart| match part {
        PatternPart::Byte(byte) => Some(*byte),
        PatternPart::AnyByte | PatternPart::AnyRun => None,
    };
    let bytes: Vec<u8> = parts.iter().filter_map(byte).collect();
    of_size(affixes, bytes.len()).push((seed.folded(&bytes), access));
}

/// Those of one length, which are few.
fn of_size<S: PartialEq + Copy>(sizes: &mut Vec<(S, Hashed)>, size: S) -> &mut Hashed {
    let known = sizes.iter().position(|(same, _)| *same == size);
    let at = known.unwrap_or_else(|| {
        sizes.push((size, Hashed::new()));
        sizes.len() - 1
    });
    &mut sizes[at].1
}

fn length_bit(text: &[u8]) -> u64 {
    1 << (text.len() % 64)
}

/// The same for small and capital letters.
fn last_byte_bit(text: &[u8]) -> u64 {
    1 << (text.last().map_or(0, |byte| byte | 0x20) % 64)
}

fn all(accesses: &[AccessId], found: &mut impl FnMut(AccessId)) {
    for access in accesses {
        found(*access);
    }
}
