//! Sets of filters that are there from the beginning: all in the base.

use super::FilterSet;
use crate::Filter;

impl<'a> Extend<&'a Filter> for FilterSet {
    /// Adds filters; better than one by one where they are many.
    fn extend<I: IntoIterator<Item = &'a Filter>>(&mut self, filters: I) {
        for filter in filters {
            self.append(filter);
        }
        self.settle();
    }
}

impl<'a> FromIterator<&'a Filter> for FilterSet {
    fn from_iter<I: IntoIterator<Item = &'a Filter>>(filters: I) -> Self {
        let mut set = Self::new();
        set.extend(filters);
        set
    }
}

impl Extend<Filter> for FilterSet {
    /// Adds filters; better than one by one where they are many.
    fn extend<I: IntoIterator<Item = Filter>>(&mut self, filters: I) {
        for filter in filters {
            self.append(&filter);
        }
        self.settle();
    }
}

impl FromIterator<Filter> for FilterSet {
    fn from_iter<I: IntoIterator<Item = Filter>>(filters: I) -> Self {
        let mut set = Self::new();
        set.extend(filters);
        set
    }
}
