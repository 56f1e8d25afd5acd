//! Percentiles: their notation, and their rank among sorted values.

/// A share of the values in percent, with up to nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile {
    /// The share in 10⁻⁹ percent.
    nanos: u64,
}

const NANOS_PER_PERCENT: u64 = 1_000_000_000;
const DECIMALS: usize = 9;

impl Percentile {
    /// The 50th percentile by rank: the lower of the two middle values, unlike
    /// the column `median`, which is their mean.
    pub const P50: Self = Self::whole(50);
    /// The 95th percentile: what `doveadm stats dump` prints by default.
    pub const P95: Self = Self::whole(95);
    /// The 99th percentile.
    pub const P99: Self = Self::whole(99);

    /// Returns a whole percentage; above 100 it is 100.
    #[must_use]
    pub const fn whole(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self {
            nanos: percent as u64 * NANOS_PER_PERCENT,
        }
    }

    /// Parses the text after the `%` of a column's name as Dovecot does: digits
    /// with or without decimals. Anything after them is ignored, no number is
    /// 0, and a number above 100 is 100.
    ///
    /// ```
    /// # use fantail_metrics::Percentile;
    /// assert_eq!(Percentile::parse(b"95"), Percentile::P95);
    /// assert!(Percentile::parse(b"99.9") > Percentile::P99);
    /// assert_eq!(Percentile::parse(b"-1"), Percentile::whole(0));
    /// ```
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let point = text.iter().position(|&byte| byte == b'.');
        let (whole, decimals) = match point {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &[][..]),
        };
        let mut nanos = 0_u64;
        let mut complete = true;
        for byte in whole {
            let Some(digit) = digit(*byte) else {
                complete = false;
                break;
            };
            nanos = nanos.saturating_mul(10).saturating_add(digit);
        }
        nanos = nanos.saturating_mul(NANOS_PER_PERCENT);
        if complete {
            let mut unit = NANOS_PER_PERCENT;
            for digit in decimals
                .iter()
                .take(DECIMALS)
                .map_while(|byte| digit(*byte))
            {
                unit /= 10;
                nanos = nanos.saturating_add(digit * unit);
            }
        }
        Self {
            nanos: nanos.min(100 * NANOS_PER_PERCENT),
        }
    }

    /// Returns the index among `count` sorted values: ⌊n·p⌋, or one lower if
    /// n·p is whole. Returns `None` without values.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Less than `count`.
    pub const fn rank(self, count: u64) -> Option<u64> {
        if count == 0 {
            return None;
        }
        const WHOLE: u64 = 100 * NANOS_PER_PERCENT;
        // ⌊n·p⌋, or one lower if n·p is whole, is ⌈n·p⌉ − 1.
        let above = match count.checked_mul(self.nanos) {
            Some(share) => share.div_ceil(WHOLE),
            None => (count as u128 * self.nanos as u128).div_ceil(WHOLE as u128) as u64,
        };
        Some(above.saturating_sub(1))
    }
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::Percentile;

    fn check(text: &str, count: u64, rank: Option<u64>) {
        let got = Percentile::parse(text.as_bytes()).rank(count);
        assert_eq!(got, rank, "%{text} of {count}");
    }

    #[test]
    fn ranks_are_those_of_dovecot() {
        check("95", 0, None);
        check("95", 1, Some(0));
        check("95", 20, Some(18));
        check("95", 21, Some(19));
        check("95", 480, Some(455));
        check("95", 42, Some(39));
        check("50", 3, Some(1));
        check("50", 4, Some(1));
        check("100", 4, Some(3));
        check("99.9", 1000, Some(998));
        check("99.9", 1001, Some(999));
        check("0.1", 1000, Some(0));
        check("29", 100, Some(28));
    }

    /// The real stats process answers `%0`, `%-1`, `%101`, `%abc` and `%` like
    /// this.
    #[test]
    fn odd_percentiles() {
        for text in ["0", "-1", "abc", "", "x5", ".", "a.5"] {
            check(text, 3, Some(0));
        }
        for text in ["100", "101", "99999999999999999999999", "100.0000000001"] {
            check(text, 3, Some(2));
        }
        check("50.5", 3, Some(1));
        check("33.333333333", 3, Some(0));
        check("66.7x", 3, Some(2));
        check(".5", 1000, Some(4));
    }
}
