//! An index over the constants with which filters of a class compare one field.
//!
//! A [`FieldIndex`] is read for each event of the class and fits into a cache
//! line: two bit sets that exclude most texts, and the table of constants.
//! Patterns, numbers and networks are rarer and lie behind a pointer.

use alloc::{boxed::Box, vec::Vec};

use core::ops::RangeInclusive;

use fantail_event::{Ip, ValueRef};
use fantail_syntax::PatternPart;

use super::{
    hash::Seed,
    index_key::{IndexKeys, NumberKey, TextKey, masked},
    table::{PostingId, Table},
};
use crate::{
    FieldTest,
    comparison::number::{ShortText, around_float},
    set::slots::Slot,
};

/// All comparisons of one slot under which filters of a class are entered.
#[derive(Debug)]
pub(in crate::set) struct FieldIndex {
    pub(in crate::set) slot: Slot,
    /// Bit sets of the constants' lengths and last bytes: they exclude most values
    /// without hashing.
    lengths: u64,
    last_bytes: u64,
    texts: Table,
    others: Option<Box<Others>>,
}

/// Comparisons that are not found by equal text.
#[derive(Debug, Default)]
struct Others {
    missing: Vec<PostingId>,
    prefixes: Vec<Affixes>,
    suffixes: Vec<Affixes>,
    /// Patterns that each text is tried with.
    any: Vec<PostingId>,
    /// Some patterns are for the digits of numbers, for addresses.
    digits: bool,
    address_texts: bool,
    numbers: Table,
    /// Ascending.
    at_least: Vec<(i64, PostingId)>,
    /// Descending.
    at_most: Vec<(i64, PostingId)>,
    networks: Vec<Networks>,
}

/// Beginnings of texts, or ends, of one length.
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

impl FieldIndex {
    /// Calls `found` with all comparisons that may hold for this value, and with
    /// some that do not. Only a list can give a comparison more than once.
    #[inline]
    pub(in crate::set) fn find(
        &self,
        value: Option<ValueRef<'_>>,
        seed: &Seed,
        found: &mut impl FnMut(PostingId),
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
    fn find_text(&self, text: &[u8], seed: &Seed, found: &mut impl FnMut(PostingId)) {
        if self.lengths & length_bit(text) != 0 && self.last_bytes & last_byte_bit(text) != 0 {
            self.texts.find(seed.folded(text), &mut *found);
        }
        if let Some(others) = &self.others {
            others.find_patterns(text, seed, found);
        }
    }

    fn find_other(&self, value: ValueRef<'_>, seed: &Seed, found: &mut impl FnMut(PostingId)) {
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
    fn find_patterns(&self, text: &[u8], seed: &Seed, found: &mut impl FnMut(PostingId)) {
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

    /// Finds comparisons for an integer, or for a number between two integers next
    /// to each other.
    #[inline]
    fn find_number(
        &self,
        number: RangeInclusive<i64>,
        seed: &Seed,
        found: &mut impl FnMut(PostingId),
    ) {
        let (low, high) = number.into_inner();
        if !self.numbers.is_empty() && low == high {
            self.numbers.find(seed.hash(low), &mut *found);
        }
        for (_, posting) in self.at_least.iter().take_while(|(from, _)| *from <= high) {
            found(*posting);
        }
        for (_, posting) in self.at_most.iter().take_while(|(to, _)| *to >= low) {
            found(*posting);
        }
    }

    fn find_digits<T>(
        &self,
        text: fn(T) -> ShortText,
        number: T,
        seed: &Seed,
        found: &mut impl FnMut(PostingId),
    ) {
        if self.digits {
            self.find_patterns(text(number).as_bytes(), seed, found);
        }
    }

    fn find_address(&self, ip: Ip, seed: &Seed, found: &mut impl FnMut(PostingId)) {
        // As for networks, an IPv4 address mapped into IPv6 counts as IPv4.
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

/// A field index that is being built.
#[derive(Debug, Default)]
pub(in crate::set) struct FieldIndexBuilder {
    lengths: u64,
    last_bytes: u64,
    texts: Hashed,
    has_others: bool,
    missing: Vec<PostingId>,
    prefixes: Vec<(usize, Hashed)>,
    suffixes: Vec<(usize, Hashed)>,
    any: Vec<PostingId>,
    digits: bool,
    address_texts: bool,
    numbers: Hashed,
    at_least: Vec<(i64, PostingId)>,
    at_most: Vec<(i64, PostingId)>,
    networks: Vec<(u8, Hashed)>,
}

type Hashed = Vec<(u64, PostingId)>;

impl FieldIndexBuilder {
    /// Adds a comparison.
    pub(in crate::set) fn add(&mut self, posting: PostingId, test: &FieldTest, seed: &Seed) {
        let keys = IndexKeys::of(test);
        if keys.missing {
            self.missing.push(posting);
        }
        self.digits |= keys.digits;
        self.address_texts |= keys.address_text;
        match keys.text {
            None => {}
            Some(TextKey::Any) => self.any.push(posting),
            Some(TextKey::Equal(text)) => {
                self.lengths |= length_bit(text);
                self.last_bytes |= last_byte_bit(text);
                self.texts.push((seed.folded(text), posting));
            }
            Some(TextKey::Prefix(parts)) => add_affix(&mut self.prefixes, parts, posting, seed),
            Some(TextKey::Suffix(parts)) => add_affix(&mut self.suffixes, parts, posting, seed),
        }
        match keys.number {
            None => {}
            Some(NumberKey::Equal(number)) => self.numbers.push((seed.hash(number), posting)),
            Some(NumberKey::AtLeast(number)) => self.at_least.push((number, posting)),
            Some(NumberKey::AtMost(number)) => self.at_most.push((number, posting)),
        }
        if let Some(network) = keys.network {
            let (bits, address) = (network.bits(), network.ip().address);
            let hash = seed.hash(masked(address, bits));
            of_size(&mut self.networks, bits).push((hash, posting));
        }
        let is_text = matches!(keys.text, Some(TextKey::Equal(_)));
        self.has_others |=
            keys.missing || keys.number.is_some() || keys.network.is_some() || !is_text;
    }

    pub(in crate::set) fn finish(mut self, slot: Slot) -> FieldIndex {
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
        FieldIndex {
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
    posting: PostingId,
    seed: &Seed,
) {
    let byte = |part: &PatternPart| match part {
        PatternPart::Byte(byte) => Some(*byte),
        PatternPart::AnyByte | PatternPart::AnyRun => None,
    };
    let bytes: Vec<u8> = parts.iter().filter_map(byte).collect();
    of_size(affixes, bytes.len()).push((seed.folded(&bytes), posting));
}

/// The entries of one size. Few sizes occur.
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

/// Returns the bit of the last byte, the same for small and capital letters.
fn last_byte_bit(text: &[u8]) -> u64 {
    1 << (text.last().map_or(0, |byte| byte | 0x20) % 64)
}

fn all(postings: &[PostingId], found: &mut impl FnMut(PostingId)) {
    for posting in postings {
        found(*posting);
    }
}
