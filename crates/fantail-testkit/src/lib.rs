//! Shared fixtures and golden runners for fantail's own tests.

pub mod dovecot;
pub mod golden;
pub mod process;
mod skip;

pub use crate::skip::{program, skip};
