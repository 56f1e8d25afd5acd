//! Distributions against exact arithmetic, and what registries, limits, merging
//! and restarts do.

// A helper that cannot go on fails its test; exact numbers become floating
// point only to be compared.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod cohorts;
mod distributions;
mod exemplars;
mod fixture;
mod folded;
mod lifetime;
mod memory;
mod registry;
mod regressions;
mod snapshots;
mod state;
mod values;
