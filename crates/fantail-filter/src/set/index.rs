//! How the filters and comparisons that concern an event are found: by its name,
//! and by the values of its fields.

pub(super) mod field_index;
pub(super) mod hash;
pub(super) mod index_key;
pub(super) mod name_index;
pub(super) mod table;
