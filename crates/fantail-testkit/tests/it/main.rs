//! Tests that span all crates.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod dovecot;
mod replay;
