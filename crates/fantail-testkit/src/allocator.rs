//! A counting allocator, for tests and benchmarks of memory.
//!
//! It counts for each thread, so that other tests do not disturb the counts.
//! Memory that another thread frees is counted there.
//!
//! ```
//! use fantail_testkit::allocator::{CountingAllocator, allocations, live_bytes};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator;
//!
//! let (count, bytes) = (allocations(), live_bytes());
//! let text = Vec::<u8>::with_capacity(1000);
//! assert_eq!(allocations() - count, 1);
//! assert_eq!(live_bytes() - bytes, 1000);
//! # drop(text);
//! ```

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static ALLOCATED_BYTES: Cell<usize> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator with counters for each thread.
#[derive(Debug)]
pub struct CountingAllocator;

/// Returns the number of allocations and resizes of this thread.
#[must_use]
pub fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// Returns the bytes that this thread has allocated, including those it has freed.
#[must_use]
pub fn allocated_bytes() -> usize {
    ALLOCATED_BYTES.get()
}

/// Returns the bytes that this thread has allocated, without those it has freed.
#[must_use]
pub fn live_bytes() -> isize {
    LIVE_BYTES.get()
}

fn count_allocation() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

fn count_bytes(added: usize, freed: usize) {
    ALLOCATED_BYTES.with(|bytes| bytes.set(bytes.get().wrapping_add(added)));
    let change = added.cast_signed() - freed.cast_signed();
    LIVE_BYTES.with(|bytes| bytes.set(bytes.get() + change));
}

// SAFETY: the system's allocator does all the work under the same contract.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocation();
        count_bytes(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_allocation();
        count_bytes(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count_bytes(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}
