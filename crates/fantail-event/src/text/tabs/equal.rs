//! Which of 16 bytes equal another byte.

#[cfg(feature = "simd")]
pub(super) use self::instructions::Equal;
#[cfg(not(feature = "simd"))]
pub(super) use self::plain::Equal;

#[cfg(feature = "simd")]
mod instructions {
    use wide::u8x16;

    /// The bytes that are equal, compared at once.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Equal(u8x16);

    impl Equal {
        pub(in super::super) const NONE: Self = Self(u8x16::ZERO);

        #[inline(always)]
        pub(in super::super) fn find(bytes: &[u8; 16], byte: u8) -> Self {
            Self(u8x16::new(*bytes).simd_eq(u8x16::splat(byte)))
        }

        #[inline(always)]
        pub(in super::super) fn or(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }

        /// A bit for each byte, the first one lowest.
        #[inline(always)]
        pub(in super::super) fn bits(self) -> u32 {
            self.0.to_bitmask()
        }
    }
}

#[cfg(not(feature = "simd"))]
mod plain {
    /// A bit for each byte that is equal, the first one lowest.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Equal(u32);

    impl Equal {
        pub(in super::super) const NONE: Self = Self(0);

        #[inline(always)]
        pub(in super::super) fn find(bytes: &[u8; 16], byte: u8) -> Self {
            let bits = bytes.iter().rev();
            Self(bits.fold(0, |bits, one| bits << 1 | u32::from(*one == byte)))
        }

        #[inline(always)]
        pub(in super::super) fn or(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }

        #[inline(always)]
        pub(in super::super) fn bits(self) -> u32 {
            self.0
        }
    }
}
