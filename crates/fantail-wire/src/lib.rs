//! Dovecot's stats protocols and captures of them: bytes in, values out.
//!
//! What its processes send to the stats-writer socket:
//!
//! - [`lines`] splits a stream into lines of bounded length;
//! - [`Command`] is one line of a client, borrowed from it, and
//!   [`Handshake`] the line that comes first;
//! - [`Connection`] is one client's: it turns lines into
//!   [`Activity`](fantail_event::Activity), and keeps
//!   what lives in an [`Intake`] that all connections of a thread share;
//! - [`capture`] reads recorded traffic.
//!
//! What `doveadm stats` says on the stats-reader socket: [`reader`].
//!
//! No I/O happens here, and no clock is read. Nothing a client sends can make
//! it panic or use memory beyond the [`Limits`].

pub mod capture;
mod command;
mod connection;
mod error;
mod intake;
pub mod lines;
pub mod reader;

pub use crate::{
    command::{Command, Handshake},
    connection::{Connection, Limits},
    error::{WireError, WireErrorKind},
    intake::Intake,
};
