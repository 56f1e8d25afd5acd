//! A list in segments that are copied on write.
//!
//! Items are stored in segments of 64. A snapshot takes a reference to each
//! segment; the next write to a segment that is still shared copies that segment
//! first. Once the snapshot is gone, nothing is copied. A single vector would be
//! copied as a whole when it grows and for each snapshot.
//!
//! The owner of the list defines a segment: several columns of the same items,
//! for instance. Invariant: all segments except the last have 64 items.

use std::{hint::black_box, sync::Arc};

/// The number of items of a full segment: the most that one event may copy.
pub(crate) const SEGMENT_SERIES: usize = 64;

/// The number of segments that are prefetched together.
const PREFETCHED_SEGMENTS: usize = 16;

/// A value that is copied on write while it is shared.
#[derive(Debug)]
pub(crate) enum Segment<S> {
    /// Not shared; with the empty allocation of the last sharing, for reuse.
    Own(S, Option<Arc<S>>),
    Shared(Arc<S>),
}

impl<S: Default> Default for Segment<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

#[derive(Debug)]
pub(crate) struct Segmented<S> {
    segments: Vec<Segment<S>>,
}

impl<S> Default for Segmented<S> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
        }
    }
}

impl<S> Segment<S> {
    const fn new(own: S) -> Self {
        Self::Own(own, None)
    }
}

impl<S: Clone + Default> Segment<S> {
    pub(crate) fn get(&self) -> &S {
        match self {
            Self::Own(own, _) => own,
            Self::Shared(shared) => shared,
        }
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    #[cold]
    fn unshare(&mut self) {
        let Self::Shared(mut shared) = self.take() else {
            return;
        };
        *self = match Arc::get_mut(&mut shared) {
            Some(allocation) => Self::Own(std::mem::take(allocation), Some(shared)),
            None => Self::new(S::clone(&shared)),
        };
    }

    fn into_own(self) -> S {
        match self {
            Self::Own(own, _) => own,
            Self::Shared(shared) => Arc::unwrap_or_clone(shared),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut S> {
        if let Self::Shared(_) = self {
            self.unshare();
        }
        match self {
            Self::Own(own, _) => Some(own),
            Self::Shared(_) => {
                debug_assert!(false, "still shared after it was unshared");
                None
            }
        }
    }

    /// Returns the allocation of the last or current sharing.
    const fn allocation(&self) -> Option<&Arc<S>> {
        match self {
            Self::Own(_, allocation) => allocation.as_ref(),
            Self::Shared(shared) => Some(shared),
        }
    }

    pub(crate) fn share(&mut self) -> Arc<S> {
        let shared = match self.take() {
            Self::Own(own, allocation) => filled(own, allocation),
            Self::Shared(shared) => shared,
        };
        *self = Self::Shared(Arc::clone(&shared));
        shared
    }
}

/// Puts the value into the empty allocation, which no snapshot refers to.
fn filled<S>(own: S, allocation: Option<Arc<S>>) -> Arc<S> {
    if let Some(mut shared) = allocation
        && let Some(allocation) = Arc::get_mut(&mut shared)
    {
        *allocation = own;
        return shared;
    }
    Arc::new(own)
}

impl<S: Clone + Default> Segmented<S> {
    /// Returns the segment for the next item. `after` creates a new segment from
    /// the previous one, which is full.
    #[inline]
    pub(crate) fn segment_for(
        &mut self,
        next: usize,
        after: impl FnOnce(&S) -> S,
    ) -> Option<&mut S> {
        if self.segments.len() <= next / SEGMENT_SERIES {
            let new = self.segments.last_mut().map(|last| {
                // Allocates now, when the list allocates anyway, so that taking
                // a snapshot does not need to.
                after(&last.share())
            });
            self.segments.push(Segment::new(new.unwrap_or_default()));
        }
        self.segments.last_mut()?.get_mut()
    }

    /// Returns the segment of an item, and the item's index in it.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<(&S, usize)> {
        let segment = self.segments.get(index / SEGMENT_SERIES)?;
        Some((segment.get(), index % SEGMENT_SERIES))
    }

    /// Returns the segment of an item to change, and the item's index in it.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<(&mut S, usize)> {
        let segment = self.segments.get_mut(index / SEGMENT_SERIES)?;
        Some((segment.get_mut()?, index % SEGMENT_SERIES))
    }

    /// Replaces each segment.
    pub(crate) fn replace_each(&mut self, mut with: impl FnMut(&S) -> S) {
        for segment in &mut self.segments {
            *segment = Segment::new(with(segment.get()));
        }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.segments.iter_mut().filter_map(Segment::get_mut)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &S> {
        self.segments.iter().map(Segment::get)
    }

    /// Returns all segments in order, one at a time.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = S> {
        self.segments.into_iter().map(Segment::into_own)
    }

    /// Shares every segment with a snapshot. `prefetch` reads one word of each
    /// column of a segment; its result is meaningless.
    ///
    /// Segments are scattered in memory. Prefetching several at once overlaps
    /// their cache misses.
    pub(crate) fn share(&mut self, prefetch: impl Fn(&S) -> usize) -> impl Iterator<Item = Arc<S>> {
        self.segments
            .chunks_mut(PREFETCHED_SEGMENTS)
            .flat_map(move |some| {
                let allocations = some.iter().filter_map(Segment::allocation);
                let read = allocations
                    .map(|allocation| Arc::strong_count(allocation) ^ prefetch(allocation));
                black_box(read.fold(0, usize::wrapping_add));
                some.iter_mut().map(Segment::share)
            })
    }

    /// Returns the number of segments.
    pub(crate) const fn count(&self) -> usize {
        self.segments.len()
    }
}

/// Adds an item. The capacity doubles up to that of a segment: `each` values
/// for each of its items.
pub(crate) fn push<T>(items: &mut Vec<T>, item: T, each: usize) {
    if items.len() == items.capacity() {
        let all = SEGMENT_SERIES.saturating_mul(each);
        let rest = all.saturating_sub(items.len());
        items.reserve_exact(items.len().min(rest).max(1));
    }
    items.push(item);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Segmented, push};

    fn list(len: usize) -> Segmented<Vec<usize>> {
        let mut list = Segmented::<Vec<usize>>::default();
        for item in 0..len {
            assert_eq!(at(&list, item), None);
            let after = |last: &Vec<usize>| Vec::with_capacity(last.len());
            push(list.segment_for(item, after).unwrap(), item, 1);
            assert_eq!(at(&list, item), Some(item));
        }
        list
    }

    fn at(list: &Segmented<Vec<usize>>, index: usize) -> Option<usize> {
        let (segment, within) = list.get(index)?;
        segment.get(within).copied()
    }

    fn set(list: &mut Segmented<Vec<usize>>, index: usize, item: usize) {
        let (segment, within) = list.get_mut(index).unwrap();
        segment[within] = item;
    }

    #[test]
    fn items_stay_at_their_index() {
        let mut list = list(2_000);
        assert!((0..2_000).all(|index| at(&list, index) == Some(index)));
        set(&mut list, 1_234, 0);
        assert_eq!(at(&list, 1_234), Some(0));
        assert!(list.into_iter().flatten().skip(1_235).eq(1_235..2_000));
    }

    #[test]
    fn room_grows_with_what_is_there() {
        let capacities: Vec<_> = [1, 2, 3, 5, 33, 64]
            .map(|len| list(len).into_iter().map(|s| s.capacity()).sum::<usize>())
            .into();
        assert_eq!(capacities, [1, 2, 4, 8, 64, 64]);
    }

    #[test]
    fn what_is_shared_stays_as_it_was() {
        let mut list = list(200);
        let shared: Vec<Arc<Vec<usize>>> = list.share(Vec::len).collect();
        set(&mut list, 70, 0);
        push(list.segment_for(200, Vec::clone).unwrap(), 200, 1);
        assert!(shared.iter().flat_map(|s| s.iter().copied()).eq(0..200));
        assert_eq!((at(&list, 70), at(&list, 200)), (Some(0), Some(200)));
        // An unchanged segment is shared by both.
        let same = |at: usize| std::ptr::eq(&*shared[at], list.get(at * 64).unwrap().0);
        assert_eq!([0, 1, 2, 3].map(same), [true, false, true, false]);
        // Without other readers, a segment does not move.
        let before = shared[2].as_ptr();
        drop(shared);
        set(&mut list, 128, 1);
        assert_eq!(list.get(128).unwrap().0.as_ptr(), before);
    }
}
