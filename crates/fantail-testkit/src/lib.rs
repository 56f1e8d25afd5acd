//! Shared fixtures and golden runners for fantail's own tests.

mod skip;

pub use crate::skip::{program, skip};
