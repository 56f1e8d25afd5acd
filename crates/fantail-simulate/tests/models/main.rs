//! Models of threads: shuttle runs them in many orders, and finds a thread that waits
//! for a signal that never comes. Run by `cargo xtask models`.

#![cfg(shuttle)]

mod queue;
mod server;
mod state;
mod tracing;

use fantail_simulate::world::World;

/// How often a model runs with orders at random, and again with orders that change
/// seldom, which finds other errors.
const RUNS: usize = 2_000;

/// Most changes of the running thread by priority in a run.
const CHANGES: usize = 3;

/// Runs a model in many orders.
fn check(model: fn()) {
    let start = move || {
        World::start(0, None, false);
        model();
    };
    shuttle::check_random(start, RUNS);
    shuttle::check_pct(start, RUNS, CHANGES);
}
