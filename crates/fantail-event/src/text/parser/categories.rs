//! The numbers of an event's categories, found when all arguments were read.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    CategoryId, CategoryTree, TextError, TextErrorKind, event::parts::CategorySpan,
    model::name::same_name, span::Span, text::MAX_FIELDS,
};

/// Finds the numbers of an event's categories and removes repeats.
#[inline(never)] // Keeps the registers of the reader free.
pub(super) fn find_categories(
    known: &mut Vec<CategorySpan>,
    text: &[u8],
    tree: &CategoryTree,
    hints: &mut CategoryHints,
) -> Result<(), (TextErrorKind, Span)> {
    // One bit per number modulo 64: a search among the event's categories would
    // mispredict its end.
    let (mut seen, mut repeated) = (0_u64, 0_u64);
    let mut found = 0;
    for category in &mut *known {
        let Some(id) = hints.find(category.name.of(text), tree) else {
            break;
        };
        category.id = id;
        found += 1;
        let bit = 1_u64.wrapping_shl(id.number());
        repeated |= seen & bit;
        seen |= bit;
    }
    match found == known.len() && repeated == 0 && found <= MAX_FIELDS {
        true => Ok(()),
        false => check_categories(known, found),
    }
}

/// Removes repeats among the first `found` categories, and returns the first error.
#[cold]
fn check_categories(
    known: &mut Vec<CategorySpan>,
    found: usize,
) -> Result<(), (TextErrorKind, Span)> {
    let unknown = known.get(found).map(|category| category.name);
    known.truncate(found);
    let mut kept = 0;
    for at in 0..known.len() {
        let Some((before, [category, ..])) = known.split_at_mut_checked(at) else {
            break;
        };
        let category = *category;
        let mut before = before.iter().take(kept);
        if before.any(|known| known.id == category.id) {
            continue;
        }
        if kept >= MAX_FIELDS {
            return Err((TextErrorKind::TooManyFields, category.name));
        }
        if let Some(target) = known.get_mut(kept) {
            *target = category;
        }
        kept += 1;
    }
    known.truncate(kept);
    match unknown {
        Some(name) => Err((TextErrorKind::UnknownCategory, name)),
        None => Ok(()),
    }
}

#[cold]
pub(super) fn category_error(kind: TextErrorKind, name: Span, ends: &[u32]) -> TextError {
    TextError::new(kind, ends.partition_point(|end| *end < name.start))
}

/// The numbers of categories by a hash of their names. A hint counts only if the
/// tree has that name at that number, so a hint of another tree does no harm.
#[derive(Debug)]
pub(super) struct CategoryHints(Box<[Option<CategoryId>; HINT_COUNT]>);

/// Many more than Dovecot's categories, so that few collide; a power of two.
const HINT_COUNT: usize = 1024;
const MIX: u32 = 0x9e37_79b1;

impl Default for CategoryHints {
    fn default() -> Self {
        Self(Box::new([None; HINT_COUNT]))
    }
}

impl CategoryHints {
    #[inline]
    fn find(&mut self, name: &[u8], categories: &CategoryTree) -> Option<CategoryId> {
        let hint = self.0.get_mut(hint_index(name))?;
        if let Some(id) = *hint
            && let Some(known) = categories.name(id)
            && same_name(known, name)
        {
            return Some(id);
        }
        look_up(name, categories, hint)
    }
}

#[cold]
#[inline(never)]
fn look_up(
    name: &[u8],
    categories: &CategoryTree,
    hint: &mut Option<CategoryId>,
) -> Option<CategoryId> {
    let id = categories.number(name)?;
    *hint = Some(id);
    Some(id)
}

/// A hash of the first and last bytes and the length.
#[inline]
fn hint_index(name: &[u8]) -> usize {
    let ends = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => {
            u32::from_le_bytes(*first) ^ u32::from_le_bytes(*last).rotate_left(13)
        }
        _ => name
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte)),
    };
    let [length, ..] = name.len().to_le_bytes();
    let mixed = (ends ^ u32::from(length)).wrapping_mul(MIX);
    mixed as usize >> (u32::BITS - HINT_COUNT.ilog2())
}
