//! Numbers and strings as bytes.
//!
//! A number has a byte for each seven bits, the lowest first; all bytes except
//! the last have the highest bit set. A string is its length and its bytes.
//! Input comes from a file with any contents: a length beyond the end of the
//! file is an error before memory is allocated.

/// The bytes are not an encoding of the expected data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Appends encoded numbers and strings to a buffer.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The bytes so far.
    pub bytes: Vec<u8>,
}

impl Encoder {
    /// Writes a number.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the lowest seven bits are meant"
    )]
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Writes several numbers.
    pub fn numbers(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.number(*number));
    }

    /// Writes a number that is close to `from`.
    pub fn difference(&mut self, from: u64, to: u64) {
        let difference = to.wrapping_sub(from);
        self.number((difference << 1) ^ (difference >> 63).wrapping_neg());
    }

    /// Writes a length and the bytes.
    pub fn string(&mut self, string: &[u8]) {
        self.number(string.len() as u64);
        self.bytes.extend_from_slice(string);
    }

    /// Writes bytes whose number the reader knows.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// The bytes that are not decoded yet.
#[derive(Debug)]
pub struct Decoder<'a> {
    /// The bytes that are not decoded yet.
    pub rest: &'a [u8],
    /// The number of distributions that may still be decoded.
    distributions: usize,
}

impl<'a> Decoder<'a> {
    /// Returns a reader of these bytes, for any number of distributions.
    #[must_use]
    pub const fn new(rest: &'a [u8]) -> Self {
        Self::with_limit(rest, usize::MAX)
    }

    /// Returns a reader of these bytes, for this number of distributions.
    pub(crate) const fn with_limit(rest: &'a [u8], distributions: usize) -> Self {
        Self {
            rest,
            distributions,
        }
    }

    /// Takes this number of distributions from those that may be decoded.
    pub(crate) fn spend(&mut self, distributions: usize) -> Result<(), Malformed> {
        let left = self.distributions.checked_sub(distributions);
        self.distributions = left.ok_or(Malformed)?;
        Ok(())
    }

    /// Decodes a number.
    ///
    /// # Errors
    /// The bytes end before, or are no such encoding.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte has one bit of the number.
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// Decodes several numbers.
    ///
    /// # Errors
    /// The bytes end before, or are no such encoding.
    pub fn numbers<const N: usize>(&mut self) -> Result<[u64; N], Malformed> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    /// Decodes a number that is close to `from`.
    ///
    /// # Errors
    /// The bytes end before, or are no such encoding.
    pub fn difference(&mut self, from: u64) -> Result<u64, Malformed> {
        let number = self.number()?;
        Ok(from.wrapping_add((number >> 1) ^ (number & 1).wrapping_neg()))
    }

    /// Decodes a string.
    ///
    /// # Errors
    /// The bytes end before, or are no such encoding.
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        self.fixed(length)
    }

    /// Returns the next `length` bytes.
    ///
    /// # Errors
    /// The bytes end before, or are no such encoding.
    pub fn fixed(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }
}
