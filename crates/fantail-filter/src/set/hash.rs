//! Hashes of texts in which the case of ASCII letters does not count.
//!
//! Texts are hashed a word at a time without being copied. The hasher is
//! seeded at random: nobody can prepare values that collide.

use core::hash::{BuildHasher as _, Hasher as _};

use hashbrown::DefaultHashBuilder;

/// The hash of a text as if it were in lower case.
pub(super) fn folded(state: &DefaultHashBuilder, text: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hasher.write_u64(lower(u64::from_le_bytes(*word)));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    hasher.write_u64(lower(u64::from_le_bytes(last)));
    hasher.write_usize(text.len());
    hasher.finish()
}

/// Eight bytes at once, each ASCII capital made small.
fn lower(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_bits = word & (0x7f * EACH);
    // The top bit of each byte: from 'A' on; beyond 'Z'; no ASCII.
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
        let state = DefaultHashBuilder::default();
        let hash = |text: &str| folded(&state, text.as_bytes());
        assert_eq!(hash("User@Example.ORG"), hash("uSER@eXAMPLE.org"));
        assert_ne!(hash("a"), hash("a\0"));
        assert_ne!(hash("12345678"), hash("12345678\0"));
    }
}
