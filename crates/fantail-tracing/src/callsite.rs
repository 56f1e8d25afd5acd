//! Decisions about callsites, before any span or event of them.

pub(crate) mod counted;
pub(crate) mod decisions;
pub(crate) mod table;
pub(crate) mod verdict;
