//! The size of allocations.

/// The header of an allocation of glibc, its alignment, and its smallest size.
const HEADER_BYTES: usize = 8;
const ALIGNMENT: usize = 16;
const MIN_BYTES: usize = 32;

/// Returns the bytes that an allocation of this size takes: more than the half of a
/// small one may be added by the allocator.
#[must_use]
pub const fn allocated(bytes: usize) -> usize {
    if bytes == 0 {
        return 0;
    }
    let whole = (bytes + HEADER_BYTES).next_multiple_of(ALIGNMENT);
    if whole < MIN_BYTES { MIN_BYTES } else { whole }
}
