//! Filters against what real Dovecots answered, and against themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "that is how a test fails"
)]

mod compiled;
mod events;
mod explain;
mod handshake;
mod hazards;
mod inheritance;
#[cfg(feature = "serde_json")]
mod json;
mod mentions;
mod names;
mod properties;
mod set_bounds;
mod set_nodes;
mod set_properties;
mod set_vectors;
mod sets;
mod values;
mod vectors;
mod warnings;
