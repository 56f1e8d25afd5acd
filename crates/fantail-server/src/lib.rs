//! The daemon as a library: a replacement for Dovecot's stats process.
//!
//! A [`Server`] binds the stats-writer and stats-reader sockets and answers
//! scrapes. A [`Handle`] sends a running server the requests of `doveadm stats`.
//!
//! # Threads
//!
//! - *Control*, the thread that calls [`Server::run`], accepts connections,
//!   answers requests, receives signals and holds the configuration. A change is
//!   compiled as a whole before any worker gets it.
//! - *Workers* each have a part of the clients and a shard of every metric. They
//!   share nothing, and take no lock for an event. A dump merges the shards of
//!   all workers.
//! - *Exporters* each have a thread behind a bounded queue.
//! - *Pushes* of metrics have one thread.
//! - *HTTP* is one thread: neither handshakes of TLS nor scrapes take time of
//!   control.
//!
//! No client, scraper or exporter makes a worker wait. All messages of the
//! library go to its [`Log`].

mod control;
mod error;
mod exporters;
mod handle;
mod http;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod options;
mod process;
mod push;
mod push_counters;
mod server;
mod socket;
mod worker;

pub use crate::{
    control::Configuration,
    error::{ControlError, ControlErrorKind, ServerError, ServerErrorKind},
    handle::Handle,
    options::{HttpAccess, HttpTls, Limits, ServerOptions},
    process::log::Log,
    process::privileges::FileLimit,
    process::record::RecordSettings,
    process::state_file::{StateFile, StateFileError, StateFileErrorKind},
    push::{PushOptions, PushProtocol},
    server::Server,
};

#[cfg(feature = "nats")]
pub use crate::nats::{
    NatsOptions,
    aggregate::{Aggregate, AggregateOptions},
    events::collect::{CollectOptions, CollectTarget, collect},
    events::stream::EventStreamSettings,
    folding::FoldOptions,
};

#[cfg(shuttle)]
#[doc(hidden)]
pub mod models;

/// Items for the other crates of this workspace, outside of semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use crate::control::{ChangeQueue, Start};
}
