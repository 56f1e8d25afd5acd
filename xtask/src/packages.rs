//! What users get: public items, generated sources, packages for Cargo and for Debian.

pub(crate) mod api;
pub(crate) mod codegen;
pub(crate) mod dist;
pub(crate) mod outside;
pub(crate) mod pictures;
pub(crate) mod readme;
