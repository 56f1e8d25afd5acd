//! TAB positions by processor-specific instructions.
//!
//! AVX-512 compares 64 bytes at once and turns the bit mask into a list of positions
//! (VBMI2). Older processors have instructions that count and find bits. Parsing an
//! event of 433 bytes takes 107 ns with AVX-512, 130 ns with the older instructions
//! and 150 ns without; tests compare all three.
#![expect(
    clippy::incompatible_msrv,
    reason = "the feature `simd` needs Rust 1.89, the crate without it 1.88"
)]
#![expect(
    unsafe_code,
    reason = "instructions that not all processors have, and loads of 64 bytes"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
    _mm512_cvtepu8_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8, _mm512_maskz_loadu_epi8,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512,
};

use super::{BLOCK_BYTES, ESCAPE, TabPositions};

cpufeatures::new!(wide, "avx512f", "avx512bw", "avx512vbmi2", "popcnt");
cpufeatures::new!(bits, "avx", "bmi1", "popcnt");

/// Positions that are stored at once.
const LANES: usize = 16;

/// The positions of the bytes of a block.
const BYTE_POSITIONS: [u8; BLOCK_BYTES] = {
    let mut positions = [0; BLOCK_BYTES];
    let mut at: u8 = 0;
    while (at as usize) < BLOCK_BYTES {
        positions[at as usize] = at;
        at += 1;
    }
    positions
};

/// Stores the positions of all TABs; returns whether anything is escaped, or `None`
/// without a change if the processor lacks the instructions.
#[inline]
pub(super) fn find(positions: &mut TabPositions, text: &[u8]) -> Option<bool> {
    if wide::get() {
        // SAFETY: the processor has what the function is built for.
        return Some(unsafe { find_all(positions, text) });
    }
    by_bits(positions, text)
}

/// As [`find`], with the older instructions only.
#[inline]
pub(super) fn by_bits(positions: &mut TabPositions, text: &[u8]) -> Option<bool> {
    if !bits::get() {
        return None;
    }
    // SAFETY: the processor has what the function is built for.
    Some(unsafe { find_by_bits(positions, text) })
}

/// The portable search, with instructions that count and find bits.
#[inline(never)]
#[target_feature(enable = "avx,bmi1,popcnt")]
fn find_by_bits(positions: &mut TabPositions, text: &[u8]) -> bool {
    positions.find_in_blocks(text)
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn find_all(positions: &mut TabPositions, text: &[u8]) -> bool {
    let mut taken = 0;
    let mut start = 0;
    let mut escapes = 0;
    let (blocks, rest) = text.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        // SAFETY: the 64 bytes of the block are read.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        taken += take(positions, bytes, start, taken);
        escapes |= escapes_of(bytes);
        start += 64;
    }
    if !rest.is_empty() {
        let there = !(u64::MAX << rest.len());
        // SAFETY: only bytes whose bit is set are read, and these exist.
        let bytes = unsafe { _mm512_maskz_loadu_epi8(there, rest.as_ptr().cast()) };
        taken += take(positions, bytes, start, taken);
        escapes |= escapes_of(bytes);
    }
    positions.taken = taken;
    escapes != 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn escapes_of(bytes: __m512i) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(ESCAPE.cast_signed()))
}

/// Stores the TABs of a block; returns their number.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn take(positions: &mut TabPositions, bytes: __m512i, start: u32, taken: usize) -> usize {
    let mut tabs = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\t'.cast_signed()));
    let count = tabs.count_ones() as usize;
    let Some(free) = positions.free_positions(taken) else {
        return 0;
    };
    if let Some(few) = free.first_chunk_mut::<LANES>() {
        // SAFETY: the 64 bytes of the constant are read.
        let within = unsafe { _mm512_loadu_si512(BYTE_POSITIONS.as_ptr().cast()) };
        let within = _mm512_maskz_compress_epi8(tabs, within);
        let positions = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(within));
        let positions = _mm512_add_epi32(positions, _mm512_set1_epi32(start.cast_signed()));
        // SAFETY: 16 positions of four bytes are written.
        unsafe { _mm512_storeu_si512(few.as_mut_ptr().cast(), positions) };
    }
    if count > LANES {
        // Rare: more than every fourth byte.
        for position in free.iter_mut().take(count) {
            *position = start + tabs.trailing_zeros();
            tabs &= tabs.wrapping_sub(1);
        }
    }
    count
}
