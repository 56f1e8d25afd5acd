//! The program as its users run it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod book;
mod check;
mod contrib;
mod convert;
mod diagnostics;
mod doctor;
mod events;
mod extension_settings;
mod filter;
mod first_contact;
mod fleet;
mod golden;
mod lint_pages;
mod live;
mod looking;
#[cfg(feature = "nats")]
mod nats;
mod packaging;
mod program;
mod results;
mod rivals;
mod sarif;
mod serve;
mod starts;
mod terminal;
mod testing;
mod top;
mod vectors;
