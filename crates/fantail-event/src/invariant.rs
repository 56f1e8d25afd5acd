//! Values that must be there.

/// An [`Option`] or [`Result`] that always has a value unless an invariant of the
/// code is broken.
///
/// A debug build panics at the caller where the value is missing; a release build
/// goes on with another value. Not for input: what a client, a file or a user
/// says may be anything.
pub trait Invariant<T>: Sized {
    /// Returns the value; in a release build `otherwise` if it is missing.
    #[must_use]
    fn always_or(self, otherwise: T) -> T;

    /// Returns the value; in a release build the default if it is missing.
    #[must_use]
    fn always(self) -> T
    where
        T: Default;
}

impl<T> Invariant<T> for Option<T> {
    #[inline(always)]
    #[track_caller]
    fn always(self) -> T
    where
        T: Default,
    {
        debug_assert!(self.is_some(), "a value that must be there is missing");
        self.unwrap_or_default()
    }

    #[inline(always)]
    #[track_caller]
    fn always_or(self, otherwise: T) -> T {
        debug_assert!(self.is_some(), "a value that must be there is missing");
        self.unwrap_or(otherwise)
    }
}

impl<T, E> Invariant<T> for Result<T, E> {
    #[inline(always)]
    #[track_caller]
    fn always(self) -> T
    where
        T: Default,
    {
        debug_assert!(self.is_ok(), "a value that must be there is missing");
        self.unwrap_or_default()
    }

    #[inline(always)]
    #[track_caller]
    fn always_or(self, otherwise: T) -> T {
        debug_assert!(self.is_ok(), "a value that must be there is missing");
        self.unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::panic::catch_unwind;

    use super::Invariant as _;

    #[test]
    fn a_missing_value_panics_in_debug_builds_only() {
        assert_eq!(Some(7).always(), 7);
        assert_eq!(u8::try_from(7_i32).always_or(u8::MAX), 7);
        let missing = [
            catch_unwind(|| None::<u8>.always_or(9)).ok(),
            catch_unwind(|| u8::try_from(-1_i32).always_or(9)).ok(),
        ];
        let expected = (!cfg!(debug_assertions)).then_some(9);
        assert_eq!(missing, [expected; 2]);
    }
}
