//! The daemon as a library: what takes the place of Dovecot's stats process.
//!
//! A [`Server`] binds the stats-writer and stats-reader sockets and answers
//! scrapes; [`Exporters`] are the queues and targets that a configuration asks
//! for. A [`Handle`] asks a running server what `doveadm stats` asks.
//!
//! # Who does what
//!
//! - *Control*, the thread that calls [`Server::run`]: accepts, answers, takes
//!   signals, holds the configuration. A change is compiled as a whole and then
//!   told to all.
//! - *Workers*, each a thread with its share of the clients and its own part of
//!   every metric. They share nothing, and take no lock for an event. A dump
//!   asks each for its part, and merges.
//! - *Exporters*, each with a thread of its own behind a bounded queue.
//!
//! Nothing that a client, a scraper or an exporter does or fails to do makes a
//! worker wait. The library says nothing but to its [`Log`].

mod control;
mod exporters;
mod handle;
mod http;
mod options;
mod process;
mod server;
mod socket;
mod worker;

pub use crate::{
    exporters::{Exporters, ExportersError, Site},
    handle::Handle,
    options::{Limits, Options},
    process::log::Log,
    process::privileges::FileLimit,
    process::record::Recorder,
    process::state_file::StateFile,
    server::{Server, ServerError},
};
