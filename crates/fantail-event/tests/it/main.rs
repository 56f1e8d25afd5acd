//! The event model by what it promises: text forms both ways, look-ups,
//! inheritance.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod inheritance;
mod scanning;
mod text_form;
