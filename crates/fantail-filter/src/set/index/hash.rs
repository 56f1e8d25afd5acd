//! Hashes of texts that ignore the case of ASCII letters.
//!
//! Texts are hashed eight bytes at a time without a copy: each word, in lower case,
//! is mixed in by a multiplication with a secret number. The seed is random, so
//! that a client cannot prepare values that collide.

use core::hash::BuildHasher as _;

use hashbrown::DefaultHashBuilder;

/// The random numbers of one cache's hashes.
#[derive(Debug, Clone)]
pub(in crate::set) struct Seed {
    start: u64,
    factor: u64,
    last: u64,
    state: DefaultHashBuilder,
}

impl Default for Seed {
    fn default() -> Self {
        let state = DefaultHashBuilder::default();
        Self {
            start: state.hash_one(1),
            factor: state.hash_one(2) | 1,
            last: state.hash_one(3) | 1,
            state,
        }
    }
}

impl Seed {
    /// The hash of a value that is not a text.
    pub(in crate::set) fn hash(&self, value: impl core::hash::Hash) -> u64 {
        self.state.hash_one(value)
    }

    /// The hash of a text in lower case.
    #[inline]
    pub(in crate::set) fn folded(&self, text: &[u8]) -> u64 {
        let (words, rest) = text.as_chunks::<8>();
        let mut hash = self.start ^ text.len() as u64;
        for word in words {
            hash = mix(hash ^ lower(u64::from_le_bytes(*word)), self.factor);
        }
        if !rest.is_empty() {
            hash = mix(hash ^ lower(last_word(text)), self.factor);
        }
        mix(hash, self.last)
    }
}

/// Whether a text in lower case equals `folded`, which is in lower case.
#[inline]
pub(in crate::set) fn is_folded(folded: &[u8], text: &[u8]) -> bool {
    if folded.len() != text.len() {
        return false;
    }
    let (words, _) = text.as_chunks::<8>();
    let (wanted, rest) = folded.as_chunks::<8>();
    let same = |(word, wanted): (&[u8; 8], &[u8; 8])| {
        lower(u64::from_le_bytes(*word)) == u64::from_le_bytes(*wanted)
    };
    words.iter().zip(wanted).all(same)
        && (rest.is_empty() || lower(last_word(text)) == last_word(folded))
}

/// The last eight bytes of a text that is not empty, or all of a shorter one. Two
/// texts of one length have the same word only if these bytes are the same.
#[inline]
fn last_word(text: &[u8]) -> u64 {
    if let Some(word) = text.last_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    let byte = |at: usize| text.get(at).copied().unwrap_or_default();
    u64::from(u32::from_le_bytes([byte(0), byte(1), byte(2), 0]))
}

fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

/// Eight bytes with ASCII capitals replaced by small letters.
fn lower(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_bits = word & (0x7f * EACH);
    // In the top bit of each byte: 'A' or greater; greater than 'Z'.
    let from_a = low_bits + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low_bits + (0x7f - b'Z' as u64) * EACH;
    let capitals = (from_a ^ beyond_z) & !word & (0x80 * EACH);
    word | (capitals >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_folded_as_ascii() {
        for byte in 0..=u8::MAX {
            let word = u64::from_le_bytes([byte, b'A', 0xff, byte, b'z', byte, b'[', byte]);
            let expected = word.to_le_bytes().map(|byte| byte.to_ascii_lowercase());
            assert_eq!(lower(word).to_le_bytes(), expected);
        }
    }

    #[test]
    fn case_does_not_count_and_length_does() {
        let seed = Seed::default();
        let hash = |text: &str| seed.folded(text.as_bytes());
        assert_eq!(hash("User@Example.ORG"), hash("uSER@eXAMPLE.org"));
        assert_ne!(hash("a"), hash("a\0"));
        assert_ne!(hash("12345678"), hash("12345678\0"));
    }

    /// Changes each byte of texts of each length, or its case.
    #[test]
    fn each_byte_counts() {
        let seed = Seed::default();
        let text: [u8; 40] = core::array::from_fn(|at| b"QwErTyUiOp[{~1-"[at % 15]);
        for len in 0..=text.len() {
            let text = &text[..len];
            let folded = text.to_ascii_lowercase();
            assert!(is_folded(&folded, text));
            for at in 0..len {
                let mut other = text.to_vec();
                other[at] ^= 0x20;
                let is_same = other.to_ascii_lowercase() == folded;
                assert_eq!(is_folded(&folded, &other), is_same);
                assert_eq!(seed.folded(&other) == seed.folded(text), is_same);
                assert!(!is_folded(&folded, &text[..at]));
            }
        }
    }
}
