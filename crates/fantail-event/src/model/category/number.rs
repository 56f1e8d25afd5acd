//! Numbers of categories, and the identities of trees for which they are valid.

use core::sync::atomic::{AtomicU64, Ordering};

/// The identity of the tree that all events without categories share.
pub(super) const EMPTY_IDENTITY: u64 = 1;

/// Returns an identity that no tree has; 0 is no tree.
pub(super) fn next_identity() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(EMPTY_IDENTITY + 1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The number of a category in its [`CategoryTree`](crate::CategoryTree).
///
/// ```
/// use fantail_event::{CategoryId, CategoryTree};
///
/// let mut tree = CategoryTree::default();
/// tree.register(b"mail", None)?;
/// tree.register(b"imap", Some(b"mail"))?;
/// let imap: CategoryId = tree.number(b"imap").unwrap();
/// assert_eq!(tree.parent(imap), tree.number(b"mail"));
/// assert_eq!(tree.name(imap), Some(&b"imap"[..]));
/// # Ok::<(), fantail_event::CategoryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CategoryId(u32);

impl CategoryId {
    pub(super) const fn new(number: u32) -> Self {
        Self(number)
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// Returns the number, which is less than [`MAX_CATEGORIES`](crate::MAX_CATEGORIES).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
