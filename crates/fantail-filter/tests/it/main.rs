//! Filters against what real Dovecots answered, and against themselves.

mod compiled;
mod events;
mod handshake;
mod hazards;
mod inheritance;
mod names;
mod properties;
mod set_bounds;
mod set_properties;
mod set_vectors;
mod sets;
mod vectors;
