//! Events through a stream that keeps every message.
//!
//! An exporter of a host publishes its events in batches: a message has lines, and a head
//! ([`BatchHead`]) in its header [`HEADER`]. Each event has an id: the number of its line
//! within a run. The queue of the exporter gives it before the first attempt to publish, so
//! that an event that was published twice has the same id in both messages.
//!
//! A [`Collector`] reads messages in the order of the stream. For each subject it keeps the
//! numbers that it has seen, as intervals: messages that were under way together may be
//! stored in any order. [`Collector::save`] writes all of it as a position, which the caller
//! saves together with what it made of the events.
//!
//! ```
//! use fantail_fleet::events::{Collector, CollectorLimits, StreamMessage};
//!
//! let mut collector = Collector::new(CollectorLimits::default());
//! let first = StreamMessage {
//!     subject: "fantail.e1.mail.mail1.audit",
//!     sequence: 1,
//!     stored_at: 100,
//!     head: Some("1 00000000000000aa 0 2 00000000000000bb 0"),
//!     body: b"one\ntwo\n",
//! };
//! let again = StreamMessage { sequence: 2, stored_at: 101, ..first };
//! let mut lines = Vec::new();
//! for message in [first, again] {
//!     collector.take(&message, &mut lines)?;
//! }
//! assert_eq!(lines, b"one\ntwo\n");
//! assert_eq!(collector.counts().repeated, 2);
//! # Ok::<(), fantail_fleet::events::Rewound>(())
//! ```
//!
//! The module has no connection, no disk and no clock.

mod collector;
mod head;
mod position;
mod seen;
mod source;
mod subject;

pub use self::{
    collector::{Collector, CollectorCounts, CollectorLimits, Rewound, StreamMessage, Taken},
    head::{BatchHead, HEADER, HeadError},
    position::PositionError,
    subject::{EventSubject, subjects_of},
};
