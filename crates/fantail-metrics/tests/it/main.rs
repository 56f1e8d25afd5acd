//! Tests of distributions against exact arithmetic, and of registries, limits,
//! merging and restarts.

// A helper that cannot continue fails its test; exact numbers become floating
// point only for comparisons.
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
mod heavy_hitters;
mod lifetime;
mod memory;
mod one_event;
mod registry;
mod regressions;
mod snapshots;
mod state;
mod values;
