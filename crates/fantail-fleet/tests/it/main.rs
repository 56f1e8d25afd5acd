//! Questions and answers of hosts whose counts are known.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod answers;
mod counts;
mod events;
mod folds;
mod hosts;
mod looking_up;
mod sums;
mod top;
