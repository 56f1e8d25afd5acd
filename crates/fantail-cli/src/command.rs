//! The commands, one module each.

#[cfg(feature = "nats")]
pub(crate) mod aggregate;
pub(crate) mod check;
#[cfg(feature = "nats")]
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod filter;
pub(crate) mod fleet;
pub(crate) mod man;
#[cfg(feature = "nats")]
pub(crate) mod nats;
pub(crate) mod push;
pub(crate) mod record;
pub(crate) mod reload;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod stats;
pub(crate) mod tap;
pub(crate) mod test;
