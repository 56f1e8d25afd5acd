//! A configuration text: its errors, its metrics and its exporters.

pub(crate) mod compiled;
pub(crate) mod error;
pub(crate) mod exporters;
