//! Locks and signals that threads of a client share.
//!
//! They are those of the standard library. With `--cfg shuttle` they are those of
//! shuttle, whose scheduler then decides which thread goes on.

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, PoisonError};
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
