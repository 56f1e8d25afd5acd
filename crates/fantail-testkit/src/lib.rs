//! Shared fixtures and golden runners for fantail's own tests.

pub mod golden;
mod skip;

pub use crate::skip::{program, skip};
