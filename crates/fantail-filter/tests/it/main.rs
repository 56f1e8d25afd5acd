//! Filters against what real Dovecots answered, and against themselves.

mod events;
mod vectors;
