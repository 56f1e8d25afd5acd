//! A quantile sketch: the number of values in each bin.
//!
//! The bins are those of [`bins`](super::bins), so the error of a quantile is
//! at most 1 % for any values: no values are sampled, and no bins are joined.
//! `sketches-ddsketch`, the maintained port of DDSketch, does not fit: it has
//! eight bytes for each bin of floating-point ratio between the minimum and the
//! maximum, and joins the lowest bins if that range exceeds its limit. One
//! negative integer (2⁶⁴−1 in Dovecot) would then destroy the accuracy of all
//! other values.
//!
//! Here memory follows the values. Bins are grouped in pages of 32; a page
//! exists once a value is in it. The counters of a page have one byte, and grow
//! to two, four or eight bytes when one of them is full. A million durations
//! between 10 µs and 10 s need 1 to 2 KB. The worst case, all bins in use,
//! needs 2.5 KB for up to 255 values a bin, 5 KB for 65,535, and 9.5 KB for
//! 2³²−1.
//!
//! Merging adds bin by bin, so a merge of parts equals the whole.

use super::bins::{BINS, representative};

const PAGE: usize = 32;
const PAGES: usize = BINS.div_ceil(PAGE);

#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    pages: Box<[Page; PAGES]>,
    /// The counters of all pages, little endian.
    cells: Vec<u8>,
}

/// The position and width of a page's counters in `cells`. The position is a
/// multiple of 32, or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Page(u16);

impl Page {
    const ABSENT: Self = Self(u16::MAX);

    /// Never panics: the 73 pages have at most 256 bytes each, so they start
    /// below 2¹⁴ · 32.
    #[allow(clippy::cast_possible_truncation)]
    const fn new(start: usize, width: Width) -> Self {
        Self(((start / PAGE) as u16) << 2 | width.0 as u16)
    }

    const fn start(self) -> usize {
        (self.0 >> 2) as usize * PAGE
    }

    #[allow(clippy::cast_possible_truncation)] // Two bits.
    const fn width(self) -> Width {
        Width((self.0 & 3) as u8)
    }

    const fn end(self) -> usize {
        self.start() + PAGE * self.width().bytes()
    }
}

/// The width of a counter: 2 to the power of this number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Width(u8);

impl Width {
    const fn bytes(self) -> usize {
        1 << self.0
    }

    const fn of(count: u64) -> Self {
        match count {
            0..=0xFF => Self(0),
            0x100..=0xFFFF => Self(1),
            0x1_0000..=0xFFFF_FFFF => Self(2),
            _ => Self(3),
        }
    }
}

impl Sketch {
    pub(crate) fn new() -> Self {
        Self {
            pages: Box::new([Page::ABSENT; PAGES]),
            cells: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn record(&mut self, bin: usize) {
        let cell = bin % PAGE;
        debug_assert!(bin < BINS, "no bin {bin}");
        let page = self.pages.get(bin / PAGE).copied();
        let page = page.unwrap_or(Page::ABSENT);
        // The usual case: a counter that is not full.
        if page != Page::ABSENT {
            let (cells, at) = (&mut self.cells, page.start() + (cell << page.width().0));
            let counted = match page.width() {
                Width(0) => count_one::<1>(cells, at),
                Width(1) => count_one::<2>(cells, at),
                Width(2) => count_one::<4>(cells, at),
                Width(_) => count_one::<8>(cells, at),
            };
            if counted {
                return;
            }
        }
        self.add(bin, 1);
    }

    /// Counts values in a bin below [`BINS`].
    pub(crate) fn add(&mut self, bin: usize, count: u64) {
        let (index, cell) = (bin / PAGE, bin % PAGE);
        let count = self.count(bin).saturating_add(count);
        let needed = Width::of(count);
        let page = self.pages[index];
        if page == Page::ABSENT {
            self.pages[index] = Page::new(self.cells.len(), needed);
            self.grow(self.cells.len(), PAGE * needed.bytes());
        } else if page.width() < needed {
            self.widen(index, needed);
        }
        let page = self.pages[index];
        let width = page.width().bytes();
        let at = page.start() + cell * width;
        if let Some(bytes) = self.cells.get_mut(at..at + width) {
            bytes.copy_from_slice(&count.to_le_bytes()[..width]);
        }
    }

    fn count(&self, bin: usize) -> u64 {
        let page = self.pages[bin / PAGE];
        if page == Page::ABSENT {
            return 0;
        }
        let width = page.width().bytes();
        let at = page.start() + bin % PAGE * width;
        let mut bytes = [0; 8];
        if let Some(cell) = self.cells.get(at..at + width) {
            bytes[..width].copy_from_slice(cell);
        }
        u64::from_le_bytes(bytes)
    }

    /// Inserts `extra` bytes at `at` without spare capacity: a sketch stops
    /// growing once it has seen the range of the values.
    fn grow(&mut self, at: usize, extra: usize) {
        let end = self.cells.len();
        self.cells.reserve_exact(extra);
        self.cells.resize(end + extra, 0);
        self.cells.copy_within(at..end, at + extra);
        for page in self.pages.iter_mut() {
            if *page != Page::ABSENT && page.start() >= at && at < end {
                *page = Page::new(page.start() + extra, page.width());
            }
        }
    }

    fn widen(&mut self, index: usize, to: Width) {
        let old = self.pages[index];
        let counts: [u64; PAGE] = core::array::from_fn(|cell| self.count(index * PAGE + cell));
        self.grow(old.end(), PAGE * (to.bytes() - old.width().bytes()));
        let page = Page::new(old.start(), to);
        self.pages[index] = page;
        let cells = self.cells.get_mut(page.start()..page.end());
        let cells = cells.unwrap_or_default().chunks_exact_mut(to.bytes());
        for (cell, count) in cells.zip(counts) {
            cell.copy_from_slice(&count.to_le_bytes()[..to.bytes()]);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, count) in other.counts() {
            self.add(bin, count);
        }
    }

    /// Returns the non-empty bins in order, with their counts.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        let pages = self.pages.iter().enumerate();
        pages
            .filter(|(_, page)| **page != Page::ABSENT)
            .flat_map(|(page, _)| page * PAGE..(page + 1) * PAGE)
            .map(|bin| (bin, self.count(bin)))
            .filter(|(_, count)| *count > 0)
    }

    /// Returns the representative of the sorted value at this rank, from 0; of
    /// the last value for a greater rank.
    pub(crate) fn at_rank(&self, rank: u64) -> u64 {
        let mut seen = 0_u64;
        let mut bin = None;
        for (at, count) in self.counts() {
            bin = Some(at);
            seen = seen.saturating_add(count);
            if seen > rank {
                break;
            }
        }
        bin.map_or(0, representative)
    }

    /// Returns the number of bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.pages) + self.cells.capacity()
    }
}

/// Increments a counter of `BYTES` bytes; returns `false` if it would overflow.
#[inline]
fn count_one<const BYTES: usize>(cells: &mut [u8], at: usize) -> bool {
    let cell = cells.get_mut(at..at + BYTES);
    let Some(Ok(cell)) = cell.map(<&mut [u8; BYTES]>::try_from) else {
        return false;
    };
    let mut wide = [0; 8];
    wide[..BYTES].copy_from_slice(cell);
    let count = u64::from_le_bytes(wide).saturating_add(1);
    if Width::of(count).bytes() > BYTES {
        return false;
    }
    cell.copy_from_slice(&count.to_le_bytes()[..BYTES]);
    true
}

#[cfg(test)]
mod tests {
    use super::{PAGE, PAGES, Sketch, Width};
    use crate::distribution::bins::{bin_of, representative};

    #[test]
    fn counters_grow_in_place_of_wrapping() {
        let mut sketch = Sketch::new();
        // The pages come in mixed order, so that widening one moves others.
        let values = [5_000_000, 3, 70, 900_000_000, u64::MAX];
        for (times, value) in [300_u64, 70_000, 200, 0x1_0000_0005, 1]
            .into_iter()
            .zip(values)
        {
            sketch.record(bin_of(value));
            sketch.add(bin_of(value), times - 1);
        }
        let mut sorted = [
            (3, 70_000),
            (70, 200),
            (5_000_000, 300),
            (900_000_000, 0x1_0000_0005),
        ];
        sorted.sort_unstable();
        let mut rank = 0;
        for (value, times) in sorted {
            for at in [rank, rank + times - 1] {
                assert_eq!(
                    sketch.at_rank(at),
                    representative(bin_of(value)),
                    "rank {at}"
                );
            }
            rank += times;
        }
        assert_eq!(sketch.at_rank(u64::MAX), representative(bin_of(u64::MAX)));
        let cells = sketch.heap_bytes() - 2 * PAGES;
        assert_eq!(cells, PAGE * (2 + 4 + 1 + 8 + 1));
    }

    #[test]
    fn recording_is_adding_one() {
        let mut recorded = Sketch::new();
        let mut added = Sketch::new();
        for times in 0..70_000_u64 {
            recorded.record(bin_of(1_000 + times % 3));
            added.add(bin_of(1_000 + times % 3), 1);
        }
        let counts = |sketch: &Sketch| sketch.counts().collect::<Vec<_>>();
        assert_eq!(counts(&recorded), counts(&added));
        assert_eq!(
            counts(&recorded).iter().map(|(_, n)| n).sum::<u64>(),
            70_000
        );
    }

    #[test]
    fn offsets_of_the_largest_sketch_fit() {
        let start = (PAGES - 1) * PAGE * Width(3).bytes();
        let page = super::Page::new(start, Width(3));
        assert_eq!((page.start(), page.width()), (start, Width(3)));
        assert_ne!(page, super::Page::ABSENT);
    }
}
