//! The number of a sample, exact.

use crate::text::{
    decimal::{push_whole, push_wide},
    numbers::{float, push_seconds},
};

/// The number of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Whole(u64),
    Signed(i64),
    Wide(u128),
    /// Microseconds, shown as seconds.
    Seconds(u128),
    Float(f64),
}

impl Value {
    /// Appends the number as text.
    #[inline]
    pub(crate) fn push(self, text: &mut Vec<u8>) {
        match self {
            Self::Whole(number) => push_whole(number, text),
            Self::Signed(number) => {
                if number < 0 {
                    text.push(b'-');
                }
                push_whole(number.unsigned_abs(), text);
            }
            Self::Wide(number) => push_wide(number, text),
            Self::Seconds(micros) => push_seconds(micros, text),
            Self::Float(number) => text.extend_from_slice(float(number).as_bytes()),
        }
    }

    /// Returns the nearest floating point number.
    #[allow(clippy::cast_precision_loss, reason = "the format has no others")]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Signed(number) => number as f64,
            Self::Wide(number) => number as f64,
            Self::Seconds(micros) => micros as f64 / 1e6,
            Self::Float(number) => number,
        }
    }
}
