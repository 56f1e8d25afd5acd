//! The filter language: errors, values, printing, limits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "that is how a test fails"
)]

mod errors;
mod limits;
mod printing;
mod properties;
mod values;
