//! Errors of categories.

use core::fmt;

use super::{MAX_ANCESTORS, MAX_CATEGORY_BYTES};

/// A category cannot be registered.
///
/// ```
/// use fantail_event::{CategoryError, CategoryErrorKind, CategoryTree};
///
/// let mut tree = CategoryTree::default();
/// let error: CategoryError = tree.register(b"imap", Some(b"mail")).unwrap_err();
/// assert_eq!(error.kind(), CategoryErrorKind::UnknownParent);
/// ```
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
    /// The table is full.
    TooMany,
    /// The parent has [`MAX_ANCESTORS`](crate::MAX_ANCESTORS) already.
    TooDeep,
    /// The name is longer than [`MAX_CATEGORY_BYTES`](crate::MAX_CATEGORY_BYTES).
    LongName,
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
            CategoryErrorKind::TooMany => f.write_str("too many categories are registered"),
            CategoryErrorKind::LongName => write!(
                f,
                "the name of the category is longer than {MAX_CATEGORY_BYTES} bytes"
            ),
            CategoryErrorKind::TooDeep => {
                write!(f, "the category has more than {MAX_ANCESTORS} ancestors")
            }
        }
    }
}

impl core::error::Error for CategoryError {}
