//! Buffers: the batches that come out and the number of dropped payloads.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Buffer, Overflow, QueueMemory, QueueSettings};
use crate::{Batch, BatchLimits};

fn batch(payloads: &str) -> Batch {
    let mut batch = Batch::new();
    for payload in payloads.split_whitespace() {
        batch.push(payload.as_bytes());
    }
    batch
}

/// Offers words to a buffer of 5 payloads and 12 bytes, and compares the
/// batches that come out and how many were dropped.
fn check(overflow: Overflow, offered: &[&str], expected: &[&str], dropped: u64) {
    let settings = QueueSettings {
        payloads: 5,
        bytes: 12,
        overflow,
        ..QueueSettings::default()
    };
    let limits = BatchLimits {
        payloads: 3,
        bytes: 8,
    };
    let mut buffer = Buffer::new(&settings, limits, None);
    let mut lost = 0;
    for words in offered {
        lost += buffer.push(&mut batch(words));
    }
    let mut out = Vec::new();
    while let Some(taken) = buffer.take() {
        let words: Vec<_> = taken.payloads().iter().collect();
        out.push(String::from_utf8(words.join(&b' ')).unwrap());
        buffer.leave(taken.payloads());
        buffer.recycle(taken);
    }
    assert_eq!(
        (out, lost),
        (expected.iter().map(|s| (*s).to_owned()).collect(), dropped)
    );
    assert_eq!((buffer.payloads(), buffer.bytes()), (0, 0));
    assert_eq!(buffer.entered(), buffer.left());
}

#[test]
fn batches_keep_to_the_limits_of_the_transport() {
    let check = |offered: &[&str], expected: &[&str]| {
        check(Overflow::DropNewest, offered, expected, 0);
    };
    check(&[], &[]);
    check(&["a", "b", "c d"], &["a b c", "d"]);
    check(&["aaaa bbbb", "cc"], &["aaaa bbbb", "cc"]);
    check(&["a", "more-than-8", ""], &["a", "more-than-8"]);
}

#[test]
fn the_newest_are_dropped_if_the_oldest_are_kept() {
    let check = |offered: &[&str], expected: &[&str], dropped| {
        check(Overflow::DropNewest, offered, expected, dropped);
    };
    check(&["a b c d e f g"], &["a b c", "d e"], 2);
    check(&["aaaa bbbb", "ccccc", "d"], &["aaaa bbbb", "d"], 1);
    check(&["longer-than-12-bytes", "a"], &["a"], 1);
}

#[test]
fn the_oldest_are_dropped_if_the_newest_are_kept() {
    let check = |offered: &[&str], expected: &[&str], dropped| {
        check(Overflow::DropOldest, offered, expected, dropped);
    };
    check(&["a b c d e f g"], &["c d e", "f g"], 2);
    check(&["a b c d e", "f g h i"], &["e f g", "h i"], 4);
    check(&["aaaa bbbb", "cccccc"], &["bbbb", "cccccc"], 1);
    // The long payload never fits, so nothing is dropped for it.
    check(&["a b", "longer-than-12-bytes", "c"], &["a b c"], 1);
}

#[test]
fn taken_payloads_are_held_and_not_dropped() {
    let settings = QueueSettings {
        payloads: 2,
        overflow: Overflow::DropOldest,
        ..QueueSettings::default()
    };
    let mut buffer = Buffer::new(&settings, BatchLimits::default(), None);
    assert_eq!(buffer.push(&mut batch("a b")), 0);
    let taken = buffer.take().unwrap();
    assert_eq!(buffer.push(&mut batch("c")), 1);
    buffer.leave(taken.payloads().split_at(1).0);
    // There is room for the newest payload only.
    assert_eq!(buffer.push(&mut batch("d e")), 1);
    assert_eq!((buffer.payloads(), buffer.left()), (2, 1));
    let next = buffer.take().unwrap();
    let words: Vec<_> = next.payloads().iter().collect();
    assert_eq!(words, [b"e"]);
}

/// A model of the buffer that handles single payloads.
struct Model {
    settings: QueueSettings,
    waiting: VecDeque<Vec<u8>>,
}

impl Model {
    fn push(&mut self, payload: &[u8]) -> u64 {
        let QueueSettings {
            payloads,
            bytes,
            overflow,
            ..
        } = self.settings;
        let mut dropped = 0;
        let full = |waiting: &VecDeque<Vec<u8>>| {
            let held: usize = waiting.iter().map(Vec::len).sum();
            waiting.len() >= payloads || held + payload.len() > bytes
        };
        if overflow == Overflow::DropOldest && payload.len() <= bytes {
            while full(&self.waiting) && self.waiting.pop_front().is_some() {
                dropped += 1;
            }
        }
        if full(&self.waiting) {
            return dropped + 1;
        }
        self.waiting.push_back(payload.to_vec());
        dropped
    }
}

#[test]
fn batches_are_treated_as_single_payloads() {
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..200 {
        // Some batches are large enough to be moved.
        let (most, longest) = if round % 8 < 6 {
            (400, 40)
        } else {
            (1_000, 200)
        };
        let settings = QueueSettings {
            payloads: random.usize(1..most),
            bytes: random.usize(1..most * longest / 4),
            overflow: [Overflow::DropNewest, Overflow::DropOldest][round % 2],
            ..QueueSettings::default()
        };
        let limits = BatchLimits {
            payloads: random.usize(1..20),
            bytes: random.usize(1..200),
        };
        let mut buffer = Buffer::new(&settings, limits, None);
        let waiting = VecDeque::new();
        let mut model = Model { settings, waiting };
        let mut number = 0_u64;
        for _ in 0..random.usize(1..20) {
            let mut batch = Batch::new();
            let mut expected = 0;
            for _ in 0..random.usize(0..600) {
                // Payloads differ in their first bytes.
                let mut payload = number.to_le_bytes().to_vec();
                payload.resize(random.usize(0..longest), 0);
                number += 1;
                batch.push(&payload);
                expected += model.push(&payload);
            }
            assert_eq!(buffer.push(&mut batch), expected, "round {round}");
            for _ in 0..random.usize(0..8) {
                let Some(taken) = buffer.take() else { break };
                let payloads = taken.payloads();
                assert!(!payloads.is_empty() && payloads.len() <= limits.payloads);
                assert!(payloads.len() == 1 || payloads.bytes() <= limits.bytes);
                for payload in payloads.iter() {
                    assert_eq!(model.waiting.pop_front().as_deref(), Some(payload));
                }
                buffer.leave(payloads);
                buffer.recycle(taken);
            }
            let held: usize = model.waiting.iter().map(Vec::len).sum();
            assert_eq!(
                (buffer.payloads(), buffer.bytes()),
                (model.waiting.len(), held)
            );
        }
    }
}

/// Memory of this many bytes.
#[derive(Debug)]
struct Bytes {
    used: AtomicUsize,
    limit: usize,
}

impl QueueMemory for Bytes {
    fn reserve(&self, bytes: usize) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        let fits = used + bytes <= self.limit;
        if fits {
            self.used.store(used + bytes, Ordering::Relaxed);
        }
        fits
    }

    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Offers a thousand payloads of a hundred bytes to a queue that has memory for
/// some of them: in batches of this many. Returns the first and the last that
/// wait.
fn offer_beyond_memory(overflow: Overflow, each: usize) -> (u64, u64) {
    let memory = Arc::new(Bytes {
        used: AtomicUsize::new(0),
        limit: 50_000,
    });
    let settings = QueueSettings {
        overflow,
        ..QueueSettings::default()
    };
    let shared: Arc<dyn QueueMemory> = Arc::<Bytes>::clone(&memory);
    let mut buffer = Buffer::new(&settings, BatchLimits::default(), Some(shared));
    let mut dropped = 0;
    for first in (0..1_000).step_by(each) {
        let mut batch = Batch::new();
        for number in first..first + each {
            batch.push(format!("{number:0>100}").as_bytes());
        }
        dropped += buffer.push(&mut batch);
        let used = memory.used.load(Ordering::Relaxed);
        assert!(buffer.bytes() <= used && used <= memory.limit);
    }
    let mut numbers = Vec::new();
    while let Some(taken) = buffer.take() {
        let texts = taken.payloads().iter();
        numbers
            .extend(texts.map(|text| std::str::from_utf8(text).unwrap().parse::<u64>().unwrap()));
        buffer.leave(taken.payloads());
        buffer.recycle(taken);
    }
    assert_eq!(memory.used.load(Ordering::Relaxed), 0, "all is given back");
    assert_eq!(numbers.len() as u64 + dropped, 1_000);
    assert_eq!(buffer.entered(), buffer.left());
    assert!(numbers.is_sorted() && numbers.len() > 50, "{numbers:?}");
    (numbers[0], *numbers.last().unwrap())
}

#[test]
fn payloads_without_memory_are_dropped() {
    for each in [1, 200] {
        let (first, last) = offer_beyond_memory(Overflow::DropNewest, each);
        assert!(first == 0 && last < 999, "{first} to {last}");
        let (first, last) = offer_beyond_memory(Overflow::DropOldest, each);
        assert!(first > 0 && last == 999, "{first} to {last}");
    }
}
