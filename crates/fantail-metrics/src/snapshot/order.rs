//! The order of a dump: each series before its descendants, siblings in the
//! order of their creation.
//!
//! Segments contain series in the order of their creation. With one level of
//! `group_by`, that is the order of a dump; with more levels it is not.

use crate::store::{segmented::SEGMENT_SERIES, shared_segment::SharedSegment};

/// The parent of the metric itself.
pub(crate) const NO_PARENT: u32 = u32::MAX;

/// A series in the order of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Its index, counted as if all segments were full.
    pub(crate) at: u32,
    /// Levels from the metric down.
    pub(crate) depth: u32,
}

/// Returns the order of a registry's series. All segments except the last must
/// be full.
pub(crate) fn of_segments(segments: &[SharedSegment]) -> Vec<Position> {
    let parents = || segments.iter().flat_map(SharedSegment::parents);
    as_they_are(parents(), segments.len() * SEGMENT_SERIES)
        .unwrap_or_else(|| sorted(&parents().collect::<Vec<u32>>()))
}

/// Returns the order of series with these parents; a parent comes before its
/// children.
pub(crate) fn of_parents(parents: &[u32]) -> Vec<Position> {
    as_they_are(parents.iter().copied(), parents.len()).unwrap_or_else(|| sorted(parents))
}

/// Returns the order if the series are in the order of a dump already. Their
/// number is at most `most`.
fn as_they_are(parents: impl Iterator<Item = u32>, most: usize) -> Option<Vec<Position>> {
    let mut positions = Vec::with_capacity(most);
    // The last series and its ancestors, from the metric down.
    let mut path: Vec<u32> = Vec::new();
    for (at, parent) in (0..).zip(parents) {
        // Most series are siblings of the series before.
        if let [.., above, last] = path.as_mut_slice()
            && *above == parent
        {
            *last = at;
            let depth = index(path.len() - 1);
            positions.push(Position { at, depth });
            continue;
        }
        while path.last().is_some_and(|last| *last != parent) {
            path.pop();
        }
        if path.is_empty() && parent != NO_PARENT {
            return None;
        }
        let depth = index(path.len());
        path.push(at);
        positions.push(Position { at, depth });
    }
    Some(positions)
}

fn sorted(parents: &[u32]) -> Vec<Position> {
    // The number of series of each branch.
    let mut sizes = vec![1_u32; parents.len()];
    for (at, parent) in parents.iter().enumerate().rev() {
        let size = sizes.get(at).copied().unwrap_or(0);
        if let Some(above) = sizes.get_mut(*parent as usize) {
            *above += size;
        }
    }
    // The next free position below each series, and its depth.
    let mut nexts: Vec<(u32, u32)> = Vec::with_capacity(parents.len());
    let mut next_root = 0;
    let mut positions = vec![Position { at: 0, depth: 0 }; parents.len()];
    for ((at, parent), size) in (0..).zip(parents).zip(sizes) {
        let (next, depth) = match nexts.get_mut(*parent as usize) {
            Some((next, depth)) => (next, *depth + 1),
            None => (&mut next_root, 0),
        };
        let position = *next;
        *next += size;
        nexts.push((position + 1, depth));
        if let Some(here) = positions.get_mut(position as usize) {
            *here = Position { at, depth };
        } else {
            debug_assert!(false, "position {position} of {}", parents.len());
        }
    }
    positions
}

/// Converts a length to an index. Memory ends before 2³² series.
pub(crate) fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NO_PARENT)
}

#[cfg(test)]
mod tests {
    use super::{NO_PARENT, Position, as_they_are, of_parents, sorted};

    fn check(parents: &[u32], expected: &[(u32, u32)], is_so_already: bool) {
        let parents = [&[NO_PARENT], parents].concat();
        let position = |(at, depth): &(u32, u32)| Position {
            at: *at,
            depth: *depth,
        };
        let expected: Vec<Position> = expected.iter().map(position).collect();
        assert_eq!(of_parents(&parents), expected);
        assert_eq!(sorted(&parents), expected);
        let as_they_are = as_they_are(parents.iter().copied(), parents.len());
        assert_eq!(as_they_are, is_so_already.then_some(expected));
    }

    #[test]
    fn parents_come_before_their_children() {
        check(&[], &[(0, 0)], true);
        check(&[0, 0, 0], &[(0, 0), (1, 1), (2, 1), (3, 1)], true);
        check(
            &[0, 1, 1, 0, 4],
            &[(0, 0), (1, 1), (2, 2), (3, 2), (4, 1), (5, 2)],
            true,
        );
        check(&[0, 0, 1], &[(0, 0), (1, 1), (3, 2), (2, 1)], false);
        check(
            &[0, 1, 0, 3, 2, 1],
            &[(0, 0), (1, 1), (2, 2), (5, 3), (6, 2), (3, 1), (4, 2)],
            false,
        );
    }
}
