//! Locks, signals and threads of the log and of recordings.
//!
//! They are those of the standard library. With `--cfg shuttle` they are those of
//! shuttle, whose scheduler then decides which thread goes on.

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};
