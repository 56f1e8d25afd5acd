//! Dovecot's stats protocols and recordings of them: bytes in, values out.
//!
//! The protocol of the stats-writer socket, to which Dovecot's processes send
//! events:
//!
//! - [`lines`] splits a stream into lines of bounded length;
//! - [`Handshake`] is the first line of a client, [`Command`] any other line;
//! - [`Connection`] is the state of one client: it turns lines into
//!   [`Activity`](fantail_event::Activity) and keeps live events in an [`Intake`],
//!   which all connections of a thread share;
//! - [`capture`] reads recorded traffic.
//!
//! The protocol of the stats-reader socket, which `doveadm stats` uses, is
//! [`reader`].
//!
//! The crate does no I/O and reads no clock. No input makes it panic or use more
//! memory than the [`Limits`] allow.

pub mod capture;
mod command;
mod connection;
mod error;
mod intake;
pub mod lines;
pub mod reader;

pub use crate::{
    command::{Command, Handshake},
    connection::{Closing, Connection, Limits},
    error::{WireError, WireErrorKind},
    intake::Intake,
};
