//! A server in a folder of its own, and what clients, scrapers and `doveadm`
//! make of it.
//!
//! A client knows that all it sent was counted when the server, having read to
//! the end, closes the connection: so no test has to wait and hope.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod answers;
mod captures;
mod changes;
mod doveadm;
mod dropin;
mod ending;
mod event_ids;
mod exporting;
mod faults;
mod fixture;
mod handshake;
mod idle;
mod large_events;
mod load;
mod memory;
mod own_metrics;
mod process;
mod pushes;
mod readers;
mod recent;
mod recordings;
mod reloads;
mod scrapes;
mod sessions;
mod slow_scrapers;
mod soak;
mod taps;
mod tls;
mod top;
mod web;
