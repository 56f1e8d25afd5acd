//! Tests that span all crates.

mod replay;
