//! Metrics against what real stats processes answered, distributions against
//! exact arithmetic, and what limits and merging do.

// A helper that cannot go on fails its test; exact numbers become floating
// point only to be compared.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

#[path = "../replay/mod.rs"]
mod replay;

mod cohorts;
mod distributions;
mod dovecot;
mod exemplars;
mod fixture;
mod folded;
mod lifetime;
mod memory;
mod registry;
mod regressions;
mod snapshots;
mod state;
mod stretches;
mod values;
