//! The tree of registered categories.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// How many categories a tree holds; Dovecot has some 60.
pub const MAX_CATEGORIES: usize = 10_000;

/// How many ancestors a category may have; Dovecot's have two at most.
pub const MAX_ANCESTORS: usize = 32;

/// The categories that clients registered, each with its parent.
///
/// One tree serves all clients, as in Dovecot: a name has the same parent
/// everywhere. A category never registered is within none.
#[derive(Debug)]
pub struct CategoryTree {
    ids: BTreeMap<Vec<u8>, usize>,
    nodes: Vec<Node>,
    identity: u64,
}

impl Default for CategoryTree {
    fn default() -> Self {
        Self {
            ids: BTreeMap::new(),
            nodes: Vec::new(),
            identity: next_identity(),
        }
    }
}

impl Clone for CategoryTree {
    fn clone(&self) -> Self {
        Self {
            ids: self.ids.clone(),
            nodes: self.nodes.clone(),
            identity: next_identity(),
        }
    }
}

/// The identity of the tree that all events without categories share.
const EMPTY_IDENTITY: u64 = 1;

/// 0 is no tree.
fn next_identity() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(EMPTY_IDENTITY + 1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The number of a category in its [`CategoryTree`]: from 0, in the order of
/// their registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CategoryId(u32);

impl CategoryId {
    /// The number, less than [`MAX_CATEGORIES`].
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone)]
struct Node {
    name: Vec<u8>,
    parent: Option<usize>,
}

impl CategoryTree {
    /// A tree without categories.
    #[must_use]
    pub fn empty() -> &'static Self {
        static EMPTY: CategoryTree = CategoryTree {
            ids: BTreeMap::new(),
            nodes: Vec::new(),
            identity: EMPTY_IDENTITY,
        };
        &EMPTY
    }

    /// Registers a category; repeating the same is fine.
    ///
    /// # Errors
    /// The parent is not registered, or the name is registered already with
    /// another parent: Dovecot closes the connection for both. Or the tree is
    /// full, or as deep as it may be.
    pub fn register(&mut self, name: &[u8], parent: Option<&[u8]>) -> Result<(), CategoryError> {
        let parent = match parent {
            None => None,
            Some(parent) => Some(self.id(parent).ok_or(CategoryErrorKind::UnknownParent)?),
        };
        match self.id(name) {
            Some(id) if self.nodes[id].parent == parent => Ok(()),
            Some(_) => Err(CategoryErrorKind::OtherParent.into()),
            None if self.nodes.len() >= MAX_CATEGORIES => Err(CategoryErrorKind::TooMany.into()),
            None if self.depth(parent) > MAX_ANCESTORS => Err(CategoryErrorKind::TooDeep.into()),
            None => {
                self.ids.insert(name.to_vec(), self.nodes.len());
                self.nodes.push(Node {
                    name: name.to_vec(),
                    parent,
                });
                Ok(())
            }
        }
    }

    /// Whether this name is registered.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.id(name).is_some()
    }

    /// Whether the category `name` is `ancestor` or descends from it; both
    /// must be registered.
    #[must_use]
    pub fn is_within(&self, name: &[u8], ancestor: &[u8]) -> bool {
        self.with_ancestors(name)
            .any(|category| category == ancestor)
    }

    /// A registered category and its ancestors, nearest first; nothing if it
    /// is not registered.
    pub fn with_ancestors(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut next = self.id(name);
        core::iter::from_fn(move || {
            // A parent is registered before its children: this ends.
            let node = &self.nodes[next?];
            next = node.parent;
            Some(node.name.as_slice())
        })
    }

    /// All categories in the order of their registration, with their parents.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.nodes.iter().map(|node| {
            (
                node.name.as_slice(),
                node.parent.map(|parent| self.nodes[parent].name.as_slice()),
            )
        })
    }

    /// How many ancestors a child of `parent` has.
    fn depth(&self, parent: Option<usize>) -> usize {
        parent.map_or(0, |parent| {
            self.with_ancestors(&self.nodes[parent].name).count()
        })
    }

    /// The number of a category, if it is registered.
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<CategoryId> {
        // There are at most MAX_CATEGORIES.
        Some(CategoryId(u32::try_from(self.id(name)?).ok()?))
    }

    /// The name of a category of this tree.
    #[must_use]
    #[inline]
    pub fn name(&self, number: CategoryId) -> Option<&[u8]> {
        Some(self.nodes.get(number.index())?.name.as_slice())
    }

    /// The number of a category's parent.
    #[must_use]
    pub fn parent(&self, number: CategoryId) -> Option<CategoryId> {
        let parent = self.nodes.get(number.index())?.parent?;
        Some(CategoryId(u32::try_from(parent).ok()?))
    }

    /// Tells this tree from all others, its clones among them: the numbers of
    /// two trees have nothing to do with each other. Those of one tree never
    /// change, so that what is remembered by number stays right.
    #[must_use]
    pub const fn identity(&self) -> u64 {
        self.identity
    }

    fn id(&self, name: &[u8]) -> Option<usize> {
        self.ids.get(name).copied()
    }
}

/// A category cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryError {
    kind: CategoryErrorKind,
}

/// Why a category cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CategoryErrorKind {
    /// The parent was never registered.
    UnknownParent,
    /// The name is registered with another parent, or none.
    OtherParent,
    /// There are [`MAX_CATEGORIES`] already.
    TooMany,
    /// The parent has [`MAX_ANCESTORS`] already.
    TooDeep,
}

impl CategoryError {
    /// Returns the reason.
    #[must_use]
    pub const fn kind(self) -> CategoryErrorKind {
        self.kind
    }
}

impl From<CategoryErrorKind> for CategoryError {
    fn from(kind: CategoryErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for CategoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CategoryErrorKind::UnknownParent => {
                f.write_str("the parent category is not registered")
            }
            CategoryErrorKind::OtherParent => {
                f.write_str("the category is registered with another parent")
            }
            CategoryErrorKind::TooMany => {
                write!(f, "more than {MAX_CATEGORIES} categories are registered")
            }
            CategoryErrorKind::TooDeep => {
                write!(f, "the category has more than {MAX_ANCESTORS} ancestors")
            }
        }
    }
}

impl core::error::Error for CategoryError {}
