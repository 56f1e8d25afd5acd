//! The bins of the quantile sketch.
//!
//! The 2,320 bins cover all 64-bit values. Each bin is so narrow that one of
//! its values represents all others with a relative error of at most 1 %:
//! - below 128, a bin is one value;
//! - below 4,096, each octave has 64 bins of equal width (error at most 0.8 %).
//!   Bins of equal ratio would be too narrow here to have a whole number close
//!   enough to all their values;
//! - above, each octave has 36 bins of equal ratio (error at most 0.99 %). The
//!   minimum for any mapping with an error of 1 % is 34.7.
//!
//! The mapping uses integer arithmetic only: it is the same on every machine,
//! so sketches merge bin by bin.

/// The number of bins.
pub(crate) const BINS: usize = GEOMETRIC_BASE + 52 * PER_OCTAVE;

const SINGLE_VALUE_BINS: u64 = 128;
/// The first bin of the linear octaves; each bin below is one value.
const LINEAR_BASE: usize = 128;
const LINEAR_PER_OCTAVE: usize = 64;
const FIRST_LINEAR_OCTAVE: u32 = 7;
const FIRST_GEOMETRIC_OCTAVE: u32 = 12;
const GEOMETRIC_BASE: usize = LINEAR_BASE + 5 * LINEAR_PER_OCTAVE;
const PER_OCTAVE: usize = 36;

/// 2^(1/36)
const RATIO: f64 = 1.019_440_643_702_144_8;
const TWO_TO_32: f64 = 4_294_967_296.0;

/// The start of each bin of an octave, as a fraction of 2³² after the octave's
/// power of two; the last entry is the start of the next octave.
static BOUNDS: [u64; PER_OCTAVE + 1] = bounds();

/// The bin at the start of each of 128 equal parts of an octave. A part is
/// narrower than any bin, so it overlaps at most one more bin.
static GUESSES: [u8; 128] = guesses();

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
const fn bounds() -> [u64; PER_OCTAVE + 1] {
    let mut bounds = [0; PER_OCTAVE + 1];
    let mut power = 1.0;
    let mut index = 0;
    while index < PER_OCTAVE {
        bounds[index] = ((power - 1.0) * TWO_TO_32) as u64;
        power *= RATIO;
        index += 1;
    }
    bounds[PER_OCTAVE] = 1 << 32;
    bounds
}

const fn guesses() -> [u8; 128] {
    let bounds = bounds();
    let mut guesses = [0; 128];
    let mut part = 0;
    let mut bin = 0;
    while part < 128 {
        while bounds[bin as usize + 1] <= (part as u64) << 25 {
            bin += 1;
        }
        guesses[part] = bin;
        part += 1;
    }
    guesses
}

/// Returns the bin of a value. Bins are ordered like values.
#[inline]
#[allow(clippy::cast_possible_truncation)] // There are 2,320 bins.
pub(crate) fn bin_of(value: u64) -> usize {
    if value < SINGLE_VALUE_BINS {
        return value as usize;
    }
    let octave = value.ilog2();
    if octave < FIRST_GEOMETRIC_OCTAVE {
        let within = (value >> (octave - 6)) as usize - LINEAR_PER_OCTAVE;
        let octaves = (octave - FIRST_LINEAR_OCTAVE) as usize;
        return LINEAR_BASE + octaves * LINEAR_PER_OCTAVE + within;
    }
    // The 32 bits after the leading one bit.
    let fraction = (value << (63 - octave) << 1) >> 32;
    let guess = GUESSES[(fraction >> 25) as usize] as usize;
    let within = guess + usize::from(fraction >= BOUNDS[guess + 1]);
    let octaves = (octave - FIRST_GEOMETRIC_OCTAVE) as usize;
    GEOMETRIC_BASE + octaves * PER_OCTAVE + within
}

/// Returns the smallest value of a bin; for `BINS`, 2⁶⁴.
fn start_of(bin: usize) -> u128 {
    if bin < LINEAR_BASE {
        return bin as u128;
    }
    if bin < GEOMETRIC_BASE {
        let (octaves, within) = split(bin - LINEAR_BASE, LINEAR_PER_OCTAVE);
        return ((LINEAR_PER_OCTAVE + within) as u128) << (octaves + 1);
    }
    let (octaves, within) = split(bin - GEOMETRIC_BASE, PER_OCTAVE);
    let octave = octaves + FIRST_GEOMETRIC_OCTAVE as usize;
    let exact = ((1_u128 << 32) + u128::from(BOUNDS[within])) << octave;
    exact.div_ceil(1 << 32)
}

const fn split(bin: usize, per_octave: usize) -> (usize, usize) {
    (bin / per_octave, bin % per_octave)
}

/// Returns the value that represents a bin: its relative distance to the
/// smallest and to the greatest value of the bin is equal.
#[allow(clippy::cast_possible_truncation)] // The result lies between two u64.
pub(crate) fn representative(bin: usize) -> u64 {
    let first = start_of(bin);
    let last = start_of(bin + 1) - 1;
    let both = first + last;
    if both == 0 {
        return 0;
    }
    // Halved, so that the product of two values near 2⁶⁴ fits.
    ((first * last + both / 4) / both.div_ceil(2)).clamp(first, last) as u64
}

#[cfg(test)]
mod tests {
    use super::{BINS, bin_of, representative, start_of};

    fn check(value: u64) {
        let bin = bin_of(value);
        let (first, last) = (start_of(bin), start_of(bin + 1) - 1);
        let exact = u128::from(value);
        assert!(
            (first..=last).contains(&exact),
            "{value} is not in bin {bin}"
        );
        let stands = representative(bin);
        assert!(
            u128::from(stands.abs_diff(value)) * 100 <= exact,
            "{stands} stands for {value}"
        );
    }

    #[test]
    fn small_values_are_exact() {
        for value in 0..128 {
            assert_eq!(representative(bin_of(value)), value);
        }
    }

    #[test]
    fn every_bin_is_narrow_enough() {
        assert_eq!(start_of(BINS), 1 << 64);
        for bin in 0..BINS {
            let (first, next) = (start_of(bin), start_of(bin + 1));
            assert!(first < next, "bin {bin} is empty");
            for value in [first, (first + next) / 2, next - 1] {
                let value = u64::try_from(value).unwrap();
                assert_eq!(bin_of(value), bin);
                check(value);
            }
        }
    }

    #[test]
    fn all_values_of_two_bytes_and_many_others() {
        (0..1 << 16).for_each(check);
        let mut value = 1_u64;
        for _ in 0..100_000 {
            value = value
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            check(value);
            check(value >> (value & 63));
        }
        check(u64::MAX);
    }
}
