//! The page in a real Chromium.
//!
//! The tests are skipped where `chromium` and `chromedriver` are not installed. Those of
//! accessibility need axe-core, too: `FANTAIL_AXE` names its `axe.min.js`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod accessibility;
mod driver;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../it/fixture.rs"]
mod fixture;
mod flood;
mod hostile;
mod keyboard;
mod live;
mod loading;
mod mail;
mod page;
mod views;
