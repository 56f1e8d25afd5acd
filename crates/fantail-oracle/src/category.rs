//! The category tree.

use std::collections::BTreeMap;

use fantail_event::CategoryErrorKind;

/// The number of categories that a server accepts.
const MAX_CATEGORIES: usize = 10_000;
/// The number of these that only reserved names can take; the oracle reserves none.
const RESERVED_CATEGORIES: usize = 1_000;
/// The number of ancestors that a category may have.
const MAX_ANCESTORS: usize = 32;
/// The number of bytes that a name may have.
const MAX_NAME_BYTES: usize = 255;

/// The registered categories, each with its parent. None is ever dropped.
#[derive(Debug, Clone, Default)]
pub struct Categories {
    parents: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Categories {
    /// Registers a category; to register it again with the same parent is no
    /// error.
    ///
    /// # Errors
    /// The parent is unknown, the category has another parent, or a limit is
    /// reached.
    pub fn register(
        &mut self,
        name: &[u8],
        parent: Option<&[u8]>,
    ) -> Result<(), CategoryErrorKind> {
        if parent.is_some_and(|parent| !self.contains(parent)) {
            return Err(CategoryErrorKind::UnknownParent);
        }
        let parent = parent.map(<[u8]>::to_vec);
        if let Some(known) = self.parents.get(name) {
            return match *known == parent {
                true => Ok(()),
                false => Err(CategoryErrorKind::OtherParent),
            };
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(CategoryErrorKind::LongName);
        }
        let ancestors = parent.as_deref().map(|parent| self.with_ancestors(parent));
        if ancestors.is_some_and(|ancestors| ancestors.len() > MAX_ANCESTORS) {
            return Err(CategoryErrorKind::TooDeep);
        }
        if self.parents.len() == MAX_CATEGORIES - RESERVED_CATEGORIES {
            return Err(CategoryErrorKind::TooMany);
        }
        self.parents.insert(name.to_vec(), parent);
        Ok(())
    }

    /// Whether a category is registered.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.parents.contains_key(name)
    }

    /// Returns a registered category and its ancestors, nearest first; nothing
    /// for an unregistered one.
    #[must_use]
    pub fn with_ancestors(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut next = self.parents.get_key_value(name);
        // A parent is registered before its children, so there are no cycles.
        while let Some((name, parent)) = next {
            found.push(name.clone());
            let parent = parent.as_ref();
            next = parent.and_then(|parent| self.parents.get_key_value(parent));
        }
        found
    }

    /// Whether a category is `ancestor` or descends from it.
    #[must_use]
    pub fn is_within(&self, name: &[u8], ancestor: &[u8]) -> bool {
        let names = self.with_ancestors(name);
        names.iter().any(|name| name == ancestor)
    }
}
