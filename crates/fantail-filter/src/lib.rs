//! The meaning of event filters: compiled once, matched against many events.
//!
//! A [`Filter`] is parsed by [`fantail_syntax`] and compiled to a program of
//! jumps between its [`CompiledComparison`]s; evaluating one neither allocates nor
//! recurses. What is matched is anything that implements
//! [`EventView`](fantail_event::EventView). A [`FilterSet`] matches many
//! filters at once, at a cost that follows what matches; [`Mentions`] tells
//! what filters look at. [`handshake`] joins filters to the filter of a stats
//! server for its clients. [`Filter::explain`] tells why a filter does or
//! does not match an event, [`Filter::warnings`] what is odd about it, and
//! [`Filter::hazards`] what would kill a Dovecot 2.3 process.
//!
//! The crate does no I/O and no logging: Dovecot's warnings during evaluation
//! are data of the filter instead.
//!
//! ```
//! use fantail_event::{CategoryTree, Dialect, Event, SentEvent};
//! use fantail_filter::Filter;
//!
//! let filter: Filter = "event=imap_command_finished AND bytes_out>=1k".parse()?;
//!
//! let text = b"1700000000\t0\tnimap_command_finished\tIbytes_out\t4096";
//! let event = Event::parse(text, CategoryTree::empty(), Dialect::V2_4)?;
//! assert!(filter.matches(&SentEvent::alone(&event)));
//! assert_eq!(
//!     filter.to_string(),
//!     r#"((event="imap_command_finished" AND "bytes_out">="1024"))"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod comparison;
mod explain;
mod filter;
mod handshake;
mod hazard;
#[cfg(feature = "serde_json")]
mod json;
mod mentions;
mod program;
mod set;
mod unprocessed;
mod warning;

// For `set/run.rs`.
use crate::comparison::number;

/// Matching by slots and classes, and events as libdovecot's filters read them.
///
/// For other crates of this workspace; not part of the stable interface.
#[doc(hidden)]
pub mod internal {
    pub use crate::set::{ClassId, ClassMatcher, ClassMatches, Slot, SlotView, Slots, ViewSlots};
    pub use crate::unprocessed::{DOVECOT_CATEGORIES, UnprocessedEvent};
}

#[cfg(feature = "serde_json")]
pub use crate::json::JsonEvent;
pub use crate::{
    comparison::{Case, CompiledComparison, FieldTest, NumberTest, Pattern, SourceTest, Test},
    explain::{Explanation, NodeResult, Reason, Row, Seen, Term, TermResult},
    filter::Filter,
    handshake::handshake,
    hazard::Hazard,
    mentions::Mentions,
    program::{Jump, Program, Step},
    set::{FilterId, FilterSet, Matcher},
    warning::{Advice, Warning, WarningKind},
};
