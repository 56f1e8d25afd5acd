//! Repeated keys: the last value counts, at the position of the first.

use alloc::{collections::BTreeMap, vec::Vec};

use super::parts::FieldSpan;
use crate::invariant::Invariant as _;

/// Up to this many fields, comparing each key with those before it is fastest.
const LINEAR_FIELDS: usize = 64;

/// Merges the last field into the others, whose keys are distinct if `distinct`.
#[cold]
pub(crate) fn join_last(fields: &mut Vec<FieldSpan>, text: &[u8], distinct: bool) {
    let Some(last) = fields.pop() else { return };
    if !distinct {
        merge(fields, text);
    }
    set(fields, last, text);
}

/// Removes repeated keys.
pub(crate) fn merge(fields: &mut Vec<FieldSpan>, text: &[u8]) {
    if fields.len() > LINEAR_FIELDS {
        merge_by_index(fields, text);
        return;
    }
    let mut kept: usize = 0;
    for at in 0..fields.len() {
        let Some((before, [field, ..])) = fields.split_at_mut_checked(at) else {
            return;
        };
        let (key, field) = (field.key.of(text), *field);
        let known = before.get_mut(..kept).always();
        match known.iter_mut().find(|known| known.key.of(text) == key) {
            Some(known) => known.value = field.value,
            None => {
                if let Some(free) = fields.get_mut(kept) {
                    *free = field;
                }
                kept += 1;
            }
        }
    }
    fields.truncate(kept);
}

fn merge_by_index(fields: &mut Vec<FieldSpan>, text: &[u8]) {
    let mut positions = BTreeMap::new();
    let mut kept: Vec<FieldSpan> = Vec::with_capacity(fields.len());
    for field in fields.iter() {
        let position = *positions.entry(field.key.of(text)).or_insert(kept.len());
        match kept.get_mut(position) {
            Some(known) => known.value = field.value,
            None => kept.push(*field),
        }
    }
    *fields = kept;
}

/// Sets a field: in place if the key is there already, else at the end.
pub(crate) fn set(fields: &mut Vec<FieldSpan>, field: FieldSpan, text: &[u8]) {
    let key = field.key.of(text);
    match fields.iter_mut().find(|known| known.key.of(text) == key) {
        Some(known) => known.value = field.value,
        None => fields.push(field),
    }
}
