//! Fields of an event by position, repeated ones included: how the engine finds
//! them without comparing keys twice.

use alloc::vec::Vec;

use super::parts::{FieldSpan, ValueSpan};
use crate::{CategoryId, CategoryTree, Elements, EventRef, ValueRef, value::Strings};

/// Access to the parts of an [`EventRef`] by their positions.
pub trait EventPositions<'a>: Copy {
    /// Returns the numbers of its own categories in this tree, if it was parsed
    /// with it; else their names have to be looked up.
    fn category_ids(self, tree: &CategoryTree)
    -> Option<impl ExactSizeIterator<Item = CategoryId>>;

    /// Returns the numbers of its own categories in any tree; names that are not
    /// registered have none.
    fn look_up_categories(self, tree: &CategoryTree) -> Vec<CategoryId>;

    /// Returns the number of fields, repeated ones included.
    fn field_count(self) -> usize;

    /// Returns the keys in order, repeated ones included.
    fn keys(self) -> impl ExactSizeIterator<Item = &'a [u8]>;

    /// Calls with position and key, in order, of those fields whose keys have
    /// one of these lengths: each is a bit, keys of 64 bytes and more share
    /// those of 64 less.
    fn keys_of_lengths(self, lengths: u64, found: impl FnMut(u32, &'a [u8]));

    /// Returns the value at this position.
    fn value_at(self, at: usize) -> Option<ValueRef<'a>>;

    /// Calls `test` with the elements of the list at this position until it
    /// accepts one; other values have none.
    fn any_element_at(self, at: usize, test: impl FnMut(&[u8]) -> bool) -> bool;
}

impl<'a> EventPositions<'a> for EventRef<'a> {
    #[inline]
    fn category_ids(
        self,
        tree: &CategoryTree,
    ) -> Option<impl ExactSizeIterator<Item = CategoryId>> {
        let categories = self.parts.categories.iter();
        let ids = categories.map(|category| category.id);
        (self.parts.tree == tree.identity()).then_some(ids)
    }

    #[cold]
    fn look_up_categories(self, tree: &CategoryTree) -> Vec<CategoryId> {
        let names = self.categories();
        names.filter_map(|name| tree.number(name)).collect()
    }

    #[inline]
    fn field_count(self) -> usize {
        self.parts.fields.len()
    }

    #[inline]
    fn keys(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let fields = self.parts.fields.iter();
        fields.map(move |field| field.key.of(self.text))
    }

    #[inline]
    fn keys_of_lengths(self, lengths: u64, mut found: impl FnMut(u32, &'a [u8])) {
        let mut test = |at: u32, field: &FieldSpan| {
            // A shift takes the number of bits modulo 64.
            let length = field.key.end.wrapping_sub(field.key.start);
            if lengths.wrapping_shr(length) & 1 == 1 {
                found(at, field.key.of(self.text));
            }
        };
        // By fours: counting costs nearly as much as looking.
        let (fours, rest) = self.parts.fields.as_chunks::<4>();
        let mut at = 0;
        for [a, b, c, d] in fours {
            test(at, a);
            test(at + 1, b);
            test(at + 2, c);
            test(at + 3, d);
            at += 4;
        }
        for field in rest {
            test(at, field);
            at += 1;
        }
    }

    #[inline]
    fn value_at(self, at: usize) -> Option<ValueRef<'a>> {
        Some(self.value_of(self.parts.fields.get(at)?.value))
    }

    #[inline]
    fn any_element_at(self, at: usize, test: impl FnMut(&[u8]) -> bool) -> bool {
        match self.parts.fields.get(at).map(|field| field.value) {
            Some(ValueSpan::List(list)) => {
                let spans = self.parts.elements(list);
                Elements(Strings::Spans(self.text, spans)).any(test)
            }
            _ => false,
        }
    }
}
