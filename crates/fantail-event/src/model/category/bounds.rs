//! The limits of a category tree, and the removal of unused categories.

use alloc::{boxed::Box, vec::Vec};

use super::{CategoryTree, MAX_CATEGORIES, Node, RESERVED_CATEGORIES, number::next_identity};
use crate::{allocation::allocated, invariant::Invariant as _};

/// Entries by which tables grow: doubling them would take a sudden half of the
/// memory for categories.
const TABLE_STEP: usize = 256;

impl CategoryTree {
    /// Replaces the names for which [`RESERVED_CATEGORIES`] are kept free: those that
    /// filters mention, so that no client can take their place.
    pub fn reserve<N: AsRef<[u8]>>(&mut self, names: impl IntoIterator<Item = N>) {
        let names = names.into_iter();
        self.reserved = names.map(|name| Box::from(name.as_ref())).collect();
    }

    /// Sets how many bytes the tree may take. Beyond them, only
    /// [reserved](Self::reserve) names are added; no bound is the default.
    pub const fn limit_bytes(&mut self, bytes: usize) {
        self.max_bytes = bytes;
    }

    /// Removes unused categories if necessary; returns whether another category
    /// fits.
    pub(super) fn make_room(&mut self, name: &[u8]) -> bool {
        let (limit, max_bytes) = match self.reserved.contains(name) {
            true => (MAX_CATEGORIES, usize::MAX),
            false => (MAX_CATEGORIES - RESERVED_CATEGORIES, self.max_bytes),
        };
        let more = allocated(name.len()) + self.table_growth();
        let fits = |tree: &Self| {
            tree.by_name.len() < limit && tree.size().saturating_add(more) <= max_bytes
        };
        if !fits(self) && self.unused > 0 {
            self.drop_unused();
        }
        fits(self)
    }

    /// The bytes by which the tables grow with the next category.
    const fn table_growth(&self) -> usize {
        let is_full = self.nodes.len() == self.nodes.capacity() && self.vacant.is_empty();
        match is_full || self.by_name.len() == self.by_name.capacity() {
            true => TABLE_STEP * (size_of::<Node>() + size_of::<u32>()),
            false => 0,
        }
    }

    /// Enlarges the tables if the next category needs it.
    pub(super) fn enlarge_tables(&mut self) {
        if self.nodes.len() == self.nodes.capacity() && self.vacant.is_empty() {
            self.nodes.reserve_exact(TABLE_STEP);
        }
        if self.by_name.len() == self.by_name.capacity() {
            self.by_name.reserve_exact(TABLE_STEP);
        }
    }

    /// Drops all categories that are not used. The numbers of others do not change,
    /// but the tree gets another identity, since numbers are given again.
    #[cold]
    fn drop_unused(&mut self) {
        let all = self.by_name.iter().copied();
        let mut unused: Vec<u32> = all.filter(|at| self.is_unused(*at)).collect();
        while let Some(index) = unused.pop() {
            let Some(node) = self.nodes.get_mut(index as usize) else {
                continue;
            };
            let name = node.name.take().always();
            self.name_bytes -= allocated(name.len());
            self.unused -= 1;
            self.vacant.push(index);
            if let Some(parent) = node.parent.take() {
                self.release(parent);
                if self.is_unused(parent.number()) {
                    unused.push(parent.number());
                }
            }
        }
        let nodes = &self.nodes;
        let is_registered = |at: &u32| nodes.get(*at as usize).is_some_and(|it| it.name.is_some());
        self.by_name.retain(is_registered);
        self.identity = next_identity();
    }

    /// Returns the bytes that the tree takes, with what the allocator of the system
    /// adds.
    #[must_use]
    pub const fn size(&self) -> usize {
        size_of::<Self>()
            + self.name_bytes
            + self.nodes.capacity() * size_of::<Node>()
            + (self.by_name.capacity() + self.vacant.capacity()) * size_of::<u32>()
    }
}
