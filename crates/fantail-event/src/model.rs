//! The plain parts of an event: categories, levels, times, addresses.

pub(crate) mod category;
pub(crate) mod dialect;
pub(crate) mod from_text;
pub(crate) mod ip;
pub(crate) mod level;
pub(crate) mod name;
pub(crate) mod timestamp;
