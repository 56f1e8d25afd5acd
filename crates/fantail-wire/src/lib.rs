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
//!
//! ```
//! use fantail_event::{Activity, Dialect};
//! use fantail_wire::{Connection, Intake, Limits};
//!
//! let mut intake = Intake::new();
//! let mut connection = Connection::new(Dialect::V2_4, Limits::default());
//! let mut users = Vec::new();
//! let stream = b"VERSION\tstats-client\t4\t0\n\
//!                EVENT\t0\t0\t1\t1795328191\t0\tnlogin_finished\tSuser\tanna\n";
//! for line in stream.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
//!     connection.handle(line, &mut intake, |activity| {
//!         if let Activity::Sent { event, .. } = activity {
//!             users.push(event.event.field(b"user") == Some("anna".into()));
//!         }
//!     })?;
//! }
//! connection.close(&mut intake, |_| {});
//! assert_eq!(users, [true]);
//! # Ok::<(), fantail_wire::WireError>(())
//! ```

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
