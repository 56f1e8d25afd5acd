//! 16 bytes that are tested at once.

#[cfg(feature = "simd")]
pub(crate) use self::instructions::Bytes16;
#[cfg(not(feature = "simd"))]
pub(crate) use self::plain::Bytes16;

#[cfg(feature = "simd")]
mod instructions {
    use std::ops::{BitOr, Sub};

    use wide::u8x16;

    /// 16 bytes in a register.
    #[derive(Clone, Copy)]
    pub(crate) struct Bytes16(u8x16);

    impl Bytes16 {
        pub(crate) const ZERO: Self = Self(u8x16::ZERO);

        #[inline(always)]
        pub(crate) fn new(bytes: [u8; 16]) -> Self {
            Self(u8x16::new(bytes))
        }

        #[inline(always)]
        pub(crate) fn splat(byte: u8) -> Self {
            Self(u8x16::splat(byte))
        }

        /// Returns 255 for each byte that equals the other's, else 0.
        #[inline(always)]
        pub(crate) fn equal(self, other: Self) -> Self {
            Self(self.0.simd_eq(other.0))
        }

        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            Self(self.0.min(other.0))
        }

        #[inline(always)]
        pub(crate) fn max(self, other: Self) -> Self {
            Self(self.0.max(other.0))
        }

        /// Returns the highest bit of each byte, that of the first one lowest.
        #[inline(always)]
        pub(crate) fn to_bitmask(self) -> u32 {
            self.0.to_bitmask()
        }
    }

    impl BitOr for Bytes16 {
        type Output = Self;

        #[inline(always)]
        fn bitor(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }
    }

    /// Wraps.
    impl Sub for Bytes16 {
        type Output = Self;

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(self.0 - other.0)
        }
    }
}

#[cfg(not(feature = "simd"))]
mod plain {
    use std::ops::{BitOr, Sub};

    /// 16 bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Bytes16([u8; 16]);

    impl Bytes16 {
        pub(crate) const ZERO: Self = Self([0; 16]);

        #[inline(always)]
        pub(crate) fn new(bytes: [u8; 16]) -> Self {
            Self(bytes)
        }

        #[inline(always)]
        pub(crate) fn splat(byte: u8) -> Self {
            Self([byte; 16])
        }

        #[inline(always)]
        fn zip(mut self, other: Self, with: impl Fn(u8, u8) -> u8) -> Self {
            for (one, other) in self.0.iter_mut().zip(other.0) {
                *one = with(*one, other);
            }
            self
        }

        /// Returns 255 for each byte that equals the other's, else 0.
        #[inline(always)]
        pub(crate) fn equal(self, other: Self) -> Self {
            self.zip(other, |one, other| match one == other {
                true => u8::MAX,
                false => 0,
            })
        }

        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            self.zip(other, u8::min)
        }

        #[inline(always)]
        pub(crate) fn max(self, other: Self) -> Self {
            self.zip(other, u8::max)
        }

        /// Returns the highest bit of each byte, that of the first one lowest.
        #[inline(always)]
        pub(crate) fn to_bitmask(self) -> u32 {
            let bytes = self.0.iter().rev();
            bytes.fold(0, |bits, byte| bits << 1 | u32::from(byte >> 7))
        }
    }

    impl BitOr for Bytes16 {
        type Output = Self;

        #[inline(always)]
        fn bitor(self, other: Self) -> Self {
            self.zip(other, |one, other| one | other)
        }
    }

    /// Wraps.
    impl Sub for Bytes16 {
        type Output = Self;

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            self.zip(other, u8::wrapping_sub)
        }
    }
}
