//! Indexes of filters and comparisons: by the name of an event, and by the
//! values of its fields.

pub(super) mod field_index;
pub(super) mod hash;
pub(super) mod index_key;
pub(super) mod name_index;
pub(super) mod table;
