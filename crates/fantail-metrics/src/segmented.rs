//! A list that grows without moving what is in it.
//!
//! A vector of a hundred thousand series would be copied as a whole each time
//! it grows, while an event waits, and be up to half empty after. Here the
//! first segment has one place (most metrics have one series), each further
//! as many as all before it together, and none more than 256.

const LARGEST_BITS: u32 = 8;
const LARGEST: usize = 1 << LARGEST_BITS;

#[derive(Debug, Clone)]
pub(crate) struct Segmented<T> {
    segments: Vec<Vec<T>>,
}

impl<T> Default for Segmented<T> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
        }
    }
}

/// The segment of an index, and the place within it.
#[inline]
const fn place(index: usize) -> (usize, usize) {
    if index >= LARGEST {
        let large = (index - LARGEST) / LARGEST;
        return (LARGEST_BITS as usize + 1 + large, index % LARGEST);
    }
    match index {
        0 => (0, 0),
        index => {
            let bits = index.ilog2();
            (bits as usize + 1, index - (1 << bits))
        }
    }
}

const fn capacity(segment: usize) -> usize {
    match segment {
        0 => 1,
        1..=8 => 1 << (segment - 1),
        _ => LARGEST,
    }
}

impl<T> Segmented<T> {
    pub(crate) fn push(&mut self, item: T) {
        let full = self
            .segments
            .last()
            .is_none_or(|last| last.len() == last.capacity());
        if full {
            let capacity = capacity(self.segments.len());
            self.segments.push(Vec::with_capacity(capacity));
        }
        if let Some(last) = self.segments.last_mut() {
            last.push(item);
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (segment, within) = place(index);
        self.segments.get(segment)?.get(within)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (segment, within) = place(index);
        self.segments.get_mut(segment)?.get_mut(within)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments.iter().flatten()
    }

    /// All items in order; each segment is freed once it is through.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = T> {
        self.segments.into_iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.segments.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Segmented;

    #[test]
    fn items_stay_at_their_index() {
        let mut list = Segmented::default();
        for item in 0..2_000_usize {
            assert_eq!(list.get(item), None);
            list.push(item);
            assert_eq!(list.get(item), Some(&item));
        }
        assert!((0..2_000).all(|index| list.get(index) == Some(&index)));
        assert!(list.iter().copied().eq(0..2_000));
        if let Some(item) = list.get_mut(1_234) {
            *item = 0;
        }
        assert_eq!(list.get(1_234), Some(&0));
        // A capacity is what was asked for, so no segment ever moved.
        let capacities: Vec<_> = list.segments.iter().map(Vec::capacity).collect();
        assert_eq!(capacities[..10], [1, 1, 2, 4, 8, 16, 32, 64, 128, 256]);
    }
}
