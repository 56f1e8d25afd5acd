//! Bytes of a filter's text: which need quotes, escapes within quotes, units, and
//! how messages show them.

pub(crate) mod escape;
pub(crate) mod interval;
pub(crate) mod shown;
pub(crate) mod word;
