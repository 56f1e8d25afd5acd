//! The tree of registered categories.

mod bounds;
mod error;
mod number;

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use self::number::{EMPTY_IDENTITY, next_identity};
pub use self::{
    error::{CategoryError, CategoryErrorKind},
    number::CategoryId,
};
use crate::{allocation::allocated, invariant::Invariant as _};

/// The largest number of categories in a tree; Dovecot has some 60.
pub const MAX_CATEGORIES: usize = 10_000;

/// The largest number of ancestors of a category; Dovecot's have two at most.
pub const MAX_ANCESTORS: usize = 32;

/// The longest name of a category, in bytes; Dovecot's own have 20 at most.
pub const MAX_CATEGORY_BYTES: usize = 255;

/// Categories of a tree that only [reserved](CategoryTree::reserve) names can take.
pub const RESERVED_CATEGORIES: usize = 1_000;

/// The categories that clients registered, each with its parent.
///
/// One tree serves all clients, as in Dovecot: a name has the same parent for all of
/// them. No event is within a category that was never registered.
///
/// [`register`](Self::register) adds a category for good, [`acquire`](Self::acquire)
/// for as long as it is used. A category that is not used any more stays until the
/// tree is full, since the next client mostly registers the same names.
///
/// ```
/// use fantail_event::CategoryTree;
///
/// let mut tree = CategoryTree::default();
/// tree.register(b"storage", None)?;
/// tree.register(b"mailbox", Some(b"storage"))?;
/// assert!(tree.is_within(b"mailbox", b"storage"));
/// # Ok::<(), fantail_event::CategoryError>(())
/// ```
#[derive(Debug)]
pub struct CategoryTree {
    nodes: Vec<Node>,
    /// The indexes of the categories, sorted by length and name.
    by_name: Vec<u32>,
    /// The indexes of vacant nodes.
    vacant: Vec<u32>,
    /// The number of categories that can be dropped.
    unused: usize,
    /// The bytes that all names take.
    name_bytes: usize,
    /// The maximum size of all names that are not reserved.
    max_bytes: usize,
    reserved: BTreeSet<Box<[u8]>>,
    registrations: u64,
    identity: u64,
}

impl Default for CategoryTree {
    fn default() -> Self {
        Self {
            identity: next_identity(),
            ..Self::without_identity()
        }
    }
}

impl Clone for CategoryTree {
    fn clone(&self) -> Self {
        Self {
            nodes: self.nodes.clone(),
            by_name: self.by_name.clone(),
            vacant: self.vacant.clone(),
            reserved: self.reserved.clone(),
            identity: next_identity(),
            ..*self
        }
    }
}

#[derive(Debug, Clone)]
struct Node {
    /// `None` for a vacant node.
    name: Option<Box<[u8]>>,
    parent: Option<CategoryId>,
    /// The number of unreleased acquisitions and of children.
    users: u32,
    is_permanent: bool,
    /// The number of registrations before this one.
    registered: u64,
}

impl Node {
    const fn is_unused(&self) -> bool {
        self.users == 0 && !self.is_permanent && self.name.is_some()
    }
}

impl CategoryTree {
    const fn without_identity() -> Self {
        Self {
            nodes: Vec::new(),
            by_name: Vec::new(),
            vacant: Vec::new(),
            unused: 0,
            name_bytes: 0,
            max_bytes: usize::MAX,
            reserved: BTreeSet::new(),
            registrations: 0,
            identity: EMPTY_IDENTITY,
        }
    }

    /// Returns a tree without categories.
    #[must_use]
    pub fn empty() -> &'static Self {
        static EMPTY: CategoryTree = CategoryTree::without_identity();
        &EMPTY
    }

    /// Registers a category for good; a repeated registration changes nothing.
    ///
    /// # Errors
    /// The parent is not registered, or the name is registered with another parent:
    /// Dovecot closes the connection for both. Or the name is too long, the tree is
    /// full, or the parent has too many ancestors.
    pub fn register(&mut self, name: &[u8], parent: Option<&[u8]>) -> Result<(), CategoryError> {
        let id = self.find_or_add(name, parent)?;
        self.change(id, |node| node.is_permanent = true);
        Ok(())
    }

    /// Registers a category until it is [released](Self::release) as often as it was
    /// acquired.
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub fn acquire(
        &mut self,
        name: &[u8],
        parent: Option<&[u8]>,
    ) -> Result<CategoryId, CategoryError> {
        let id = self.find_or_add(name, parent)?;
        self.change(id, |node| node.users += 1);
        Ok(id)
    }

    /// Releases a category that was [acquired](Self::acquire). It stays registered
    /// until the tree is full.
    pub fn release(&mut self, id: CategoryId) {
        self.change(id, |node| {
            debug_assert!(node.users > 0, "released more often than acquired");
            node.users = node.users.saturating_sub(1);
        });
    }

    fn find_or_add(
        &mut self,
        name: &[u8],
        parent: Option<&[u8]>,
    ) -> Result<CategoryId, CategoryError> {
        if let Some(id) = self.number(name) {
            let known = self.parent(id).and_then(|parent| self.name(parent));
            return match known == parent {
                true => Ok(id),
                false if parent.is_some_and(|parent| !self.contains(parent)) => {
                    Err(CategoryErrorKind::UnknownParent.into())
                }
                false => Err(CategoryErrorKind::OtherParent.into()),
            };
        }
        let parent = match parent {
            None => None,
            Some(parent) => {
                let known = self.number(parent);
                Some(known.ok_or(CategoryErrorKind::UnknownParent)?)
            }
        };
        if name.len() > MAX_CATEGORY_BYTES {
            return Err(CategoryErrorKind::LongName.into());
        }
        if self.depth(parent) > MAX_ANCESTORS {
            return Err(CategoryErrorKind::TooDeep.into());
        }
        // The parent must not be dropped to make room for its child.
        if let Some(parent) = parent {
            self.change(parent, |node| node.users += 1);
        }
        match self.make_room(name) {
            true => Ok(self.add(name, parent)),
            false => {
                parent.into_iter().for_each(|parent| self.release(parent));
                Err(CategoryErrorKind::TooMany.into())
            }
        }
    }

    /// Adds a category that is not used yet.
    fn add(&mut self, name: &[u8], parent: Option<CategoryId>) -> CategoryId {
        let node = Node {
            name: Some(name.into()),
            parent,
            users: 0,
            is_permanent: false,
            registered: self.registrations,
        };
        self.enlarge_tables();
        let index = match self.vacant.pop() {
            Some(index) => {
                if let Some(vacant) = self.nodes.get_mut(index as usize) {
                    *vacant = node;
                }
                index
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).always_or(u32::MAX)
            }
        };
        let at = self.search(name).unwrap_or_else(|at| at);
        self.by_name.insert(at, index);
        self.registrations += 1;
        self.unused += 1;
        self.name_bytes += allocated(name.len());
        CategoryId::new(index)
    }

    /// Changes a node and counts whether it is used.
    fn change(&mut self, id: CategoryId, change: impl FnOnce(&mut Node)) {
        let Some(node) = self.nodes.get_mut(id.index()) else {
            debug_assert!(false, "no category {id:?}");
            return;
        };
        let before = node.is_unused();
        change(node);
        let after = node.is_unused();
        self.unused = self.unused + usize::from(after) - usize::from(before);
    }

    fn is_unused(&self, index: u32) -> bool {
        let node = self.nodes.get(index as usize);
        node.is_some_and(Node::is_unused)
    }

    /// Returns whether this name is registered.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.number(name).is_some()
    }

    /// Returns whether the category `name` is `ancestor` or descends from it; both
    /// must be registered.
    #[must_use]
    pub fn is_within(&self, name: &[u8], ancestor: &[u8]) -> bool {
        self.with_ancestors(name)
            .any(|category| category == ancestor)
    }

    /// Returns a registered category and its ancestors, nearest first; nothing if it
    /// is not registered.
    pub fn with_ancestors(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut next = self.number(name);
        core::iter::from_fn(move || {
            // A parent stays registered while it has children: this ends.
            let id = next?;
            next = self.parent(id);
            self.name(id)
        })
    }

    /// Returns all categories with their parents.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.nodes.iter().filter_map(|node| {
            let parent = node.parent.and_then(|parent| self.name(parent));
            Some((node.name.as_deref()?, parent))
        })
    }

    /// Returns the number of registrations so far, repeated ones left out.
    #[must_use]
    pub const fn registrations(&self) -> u64 {
        self.registrations
    }

    /// Returns the categories after this number of registrations, in the order of
    /// their registration, with their parents.
    #[must_use]
    pub fn registered_since(&self, registrations: u64) -> Vec<(&[u8], Option<&[u8]>)> {
        let nodes = self.nodes.iter();
        let mut new: Vec<&Node> = nodes
            .filter(|node| node.name.is_some() && node.registered >= registrations)
            .collect();
        new.sort_unstable_by_key(|node| node.registered);
        let named = new.into_iter().filter_map(|node| {
            let parent = node.parent.and_then(|parent| self.name(parent));
            Some((node.name.as_deref()?, parent))
        });
        named.collect()
    }

    /// The number of ancestors of a child of `parent`.
    fn depth(&self, parent: Option<CategoryId>) -> usize {
        core::iter::successors(parent, |id| self.parent(*id)).count()
    }

    /// Returns the number of a registered category.
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<CategoryId> {
        let at = self.search(name).ok()?;
        self.by_name.get(at).copied().map(CategoryId::new)
    }

    /// Returns the name of a category of this tree.
    #[must_use]
    #[inline]
    pub fn name(&self, number: CategoryId) -> Option<&[u8]> {
        self.nodes.get(number.index())?.name.as_deref()
    }

    /// Returns the number of a category's parent.
    #[must_use]
    #[inline]
    pub fn parent(&self, number: CategoryId) -> Option<CategoryId> {
        self.nodes.get(number.index())?.parent
    }

    /// Returns the identity of the numbers: no two trees have the same, also not a
    /// tree and its clone. It changes when categories are dropped. While it is the
    /// same, a number means the same category: a cache by number stays right.
    #[must_use]
    pub const fn identity(&self) -> u64 {
        self.identity
    }

    /// The position of a name among the sorted ones, or where to insert it.
    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        let name_of = |at: &u32| self.name(CategoryId::new(*at)).always();
        self.by_name.binary_search_by(|at| {
            let known = name_of(at);
            // Most names differ in length, which is compared without a call.
            let lengths = known.len().cmp(&name.len());
            lengths.then_with(|| known.cmp(name))
        })
    }
}
