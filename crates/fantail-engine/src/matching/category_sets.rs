//! Category sets, each with a number.
//!
//! The set of an event contains its own categories, those of its ancestors, and
//! those of the global event. There are few such sets, and the same unions are
//! needed again and again, so they are cached.

use std::collections::HashMap;

use fantail_event::{
    CategoryId, CategoryTree, EventRef, MAX_CATEGORIES, internal::EventPositions as _,
};

/// The number of a category set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CategorySetId(pub(super) u32);

impl CategorySetId {
    pub(super) const EMPTY: Self = Self(0);
    /// Any set beyond the limits.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
}

/// The maximum number of sets; a server has some dozens.
const MAX_SETS: usize = 4_096;
/// The maximum number of categories in all sets together.
const MAX_MEMBERS: usize = 1 << 18;
/// The number of cached unions; a power of two.
const CACHED_UNIONS: usize = 256;
/// The number of cached sets of events' own categories; a power of two.
const CACHED_EVENTS: usize = 256;
/// The number of categories that are packed into one number, each with the bits
/// that all categories of a tree need; no category is zero.
const PACKED_CATEGORIES: usize = 9;
const CATEGORY_BITS: u32 = 14;
const _: () = assert!(
    MAX_CATEGORIES < (1 << CATEGORY_BITS) && PACKED_CATEGORIES * (CATEGORY_BITS as usize) <= 128
);

/// The category sets of one tree.
#[derive(Debug)]
pub(super) struct CategorySets {
    /// The categories of each set and their ancestors, ascending.
    sets: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, CategorySetId>,
    members: usize,
    /// The sets with one category each.
    of_one: Vec<Option<CategorySetId>>,
    /// Two sets and their union, by a hash of the two; a new union replaces an
    /// old one.
    unions: Box<[(CategorySetId, CategorySetId, CategorySetId)]>,
    /// Events' own categories, as a number, and their set.
    events: Box<[(u128, CategorySetId)]>,
}

impl CategorySets {
    pub(super) fn new() -> Self {
        let empty = Box::<[u32]>::default();
        Self {
            sets: vec![empty.clone()],
            numbers: HashMap::from([(empty, CategorySetId::EMPTY)]),
            members: 0,
            of_one: Vec::new(),
            unions: vec![
                (
                    CategorySetId::EMPTY,
                    CategorySetId::EMPTY,
                    CategorySetId::EMPTY
                );
                CACHED_UNIONS
            ]
            .into(),
            events: vec![(0, CategorySetId::EMPTY); CACHED_EVENTS].into(),
        }
    }

    /// Returns whether the set contains this category or a descendant of it;
    /// `None` for an unknown set.
    pub(super) fn contains(&self, set: CategorySetId, category: CategoryId) -> Option<bool> {
        let members = self.sets.get(set.0 as usize)?;
        let category = u32::try_from(category.index()).ok()?;
        Some(members.binary_search(&category).is_ok())
    }

    /// Returns the set of an event's own categories.
    #[inline]
    pub(super) fn of_event(&mut self, event: EventRef<'_>, tree: &CategoryTree) -> CategorySetId {
        let Some(categories) = event.category_ids(tree) else {
            return self.unite_all(event.look_up_categories(tree), tree);
        };
        if categories.len() > PACKED_CATEGORIES {
            return self.unite_all(categories, tree);
        }
        let number = |id: CategoryId| id.index() as u128 + 1;
        let packed = categories.fold(0, |packed, id| packed << CATEGORY_BITS | number(id));
        let index = index(packed);
        match self.events.get(index) {
            Some((known, set)) if *known == packed => *set,
            _ => self.add_event(event, tree, packed),
        }
    }

    #[cold]
    fn add_event(
        &mut self,
        event: EventRef<'_>,
        tree: &CategoryTree,
        packed: u128,
    ) -> CategorySetId {
        let set = self.unite_all(event.category_ids(tree).into_iter().flatten(), tree);
        if let Some(remembered) = self.events.get_mut(index(packed))
            && set != CategorySetId::UNKNOWN
        {
            *remembered = (packed, set);
        }
        set
    }

    #[inline(never)]
    fn unite_all(
        &mut self,
        categories: impl IntoIterator<Item = CategoryId>,
        tree: &CategoryTree,
    ) -> CategorySetId {
        let mut set = CategorySetId::EMPTY;
        for category in categories {
            let known = self.of_one.get(category.index()).copied().flatten();
            let one = known.unwrap_or_else(|| self.add_one(category, tree));
            set = self.union(set, one);
        }
        set
    }

    #[cold]
    fn add_one(&mut self, category: CategoryId, tree: &CategoryTree) -> CategorySetId {
        let ancestors = std::iter::successors(Some(category), |category| tree.parent(*category));
        let mut members: Vec<u32> = ancestors
            .filter_map(|category| u32::try_from(category.index()).ok())
            .collect();
        members.sort_unstable();
        let set = self.intern(members);
        let at = category.index();
        if self.of_one.len() <= at {
            // Trees are bounded.
            self.of_one.resize(at + 1, None);
        }
        if let Some(known) = self.of_one.get_mut(at) {
            *known = Some(set);
        }
        set
    }

    /// Returns the union of two sets.
    #[inline]
    pub(super) fn union(&mut self, a: CategorySetId, b: CategorySetId) -> CategorySetId {
        if a == b || b == CategorySetId::EMPTY {
            return a;
        }
        if a == CategorySetId::EMPTY {
            return b;
        }
        let index = a.0.wrapping_mul(31).wrapping_add(b.0) as usize % CACHED_UNIONS;
        match self.unions.get(index) {
            Some(&(x, y, union)) if (x, y) == (a, b) => union,
            _ => self.unite(a, b, index),
        }
    }

    #[cold]
    fn unite(&mut self, a: CategorySetId, b: CategorySetId, index: usize) -> CategorySetId {
        let both = [a, b].map(|set| self.sets.get(set.0 as usize));
        let [Some(a_members), Some(b_members)] = both else {
            return CategorySetId::UNKNOWN;
        };
        let mut members = [&**a_members, b_members].concat();
        members.sort_unstable();
        members.dedup();
        let union = self.intern(members);
        if let Some(remembered) = self.unions.get_mut(index) {
            *remembered = (a, b, union);
        }
        union
    }

    fn intern(&mut self, members: Vec<u32>) -> CategorySetId {
        if let Some(&known) = self.numbers.get(members.as_slice()) {
            return known;
        }
        if self.sets.len() >= MAX_SETS || self.members + members.len() > MAX_MEMBERS {
            return CategorySetId::UNKNOWN;
        }
        let Ok(number) = u32::try_from(self.sets.len()) else {
            return CategorySetId::UNKNOWN;
        };
        self.members += members.len();
        let members = members.into_boxed_slice();
        self.sets.push(members.clone());
        self.numbers.insert(members, CategorySetId(number));
        CategorySetId(number)
    }
}

#[inline]
fn index(packed: u128) -> usize {
    let mixed = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let [.., high] = mixed.to_le_bytes();
    usize::from(high) % CACHED_EVENTS
}

#[cfg(test)]
mod tests {
    use fantail_event::{CategoryTree, Dialect, Event};

    use super::{CategorySetId, CategorySets};

    fn tree(count: usize) -> CategoryTree {
        let mut tree = CategoryTree::default();
        assert_eq!(tree.register(b"mail", None), Ok(()));
        assert_eq!(tree.register(b"imap", Some(b"mail")), Ok(()));
        for number in 0..count {
            assert_eq!(tree.register(number.to_string().as_bytes(), None), Ok(()));
        }
        tree
    }

    fn set(sets: &mut CategorySets, names: &[&str], tree: &CategoryTree) -> CategorySetId {
        let names = names.iter().map(|name| format!("\tc{name}"));
        let text = format!("1\t2{}", names.collect::<String>());
        let event = Event::parse(text.as_bytes(), tree, Dialect::V2_4).unwrap();
        sets.of_event(event.as_event_ref(), tree)
    }

    #[test]
    fn ancestors_are_within() {
        let (tree, mut sets) = (tree(2), CategorySets::new());
        let imap = set(&mut sets, &["imap"], &tree);
        let mail = set(&mut sets, &["mail"], &tree);
        let both = set(&mut sets, &["mail", "imap"], &tree);
        let zero = set(&mut sets, &["0"], &tree);
        assert_eq!(both, imap);
        assert_eq!(sets.union(mail, imap), imap);
        let all = sets.union(zero, imap);
        assert_eq!(sets.union(imap, zero), all);
        assert_eq!(sets.union(CategorySetId::EMPTY, all), all);
        let is_in = |set, name: &str| {
            let category = tree.number(name.as_bytes()).unwrap();
            sets.contains(set, category)
        };
        assert_eq!(is_in(all, "mail"), Some(true));
        assert_eq!(is_in(imap, "mail"), Some(true));
        assert_eq!(is_in(mail, "imap"), Some(false));
        assert_eq!(is_in(zero, "1"), Some(false));
        assert_eq!(is_in(CategorySetId::UNKNOWN, "1"), None);
    }

    /// The number of numbered sets is bounded.
    #[test]
    fn sets_are_bounded() {
        let (tree, mut sets) = (tree(200), CategorySets::new());
        let mut unknown = 0;
        for a in 0..200 {
            for b in 0..200 {
                let names = [&*a.to_string(), &*b.to_string()];
                let found = set(&mut sets, &names, &tree);
                unknown += usize::from(found == CategorySetId::UNKNOWN);
                let category = tree.number(names[1].as_bytes()).unwrap();
                assert_ne!(sets.contains(found, category), Some(false));
            }
        }
        assert!(unknown > 10_000);
        assert!(sets.sets.len() <= super::MAX_SETS);
    }
}
