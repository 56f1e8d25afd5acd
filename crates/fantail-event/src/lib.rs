//! The event model of Dovecot: what an event is, and how it is written down.
//!
//! | type | meaning |
//! | --- | --- |
//! | [`EventRef`], [`Event`] | one event: its text and the spans of its parts, borrowed or owned |
//! | [`ValueRef`] | the value of a field |
//! | [`LiveEvents`], [`LiveId`] | the events that others may inherit from, and their numbers |
//! | [`SentEvent`] | an event with its level, its ancestors, the global event and the categories |
//! | [`Activity`] | what a client did: sent, updated or ended an event |
//! | [`EffectiveEvent`] | an event with all that it inherits, for exporters |
//! | [`EventView`], [`ExportView`] | what filters and exporters ask; implement them for your own types |
//!
//! [`Parser`] reads the text form that Dovecot's processes send, [`EventBuilder`]
//! makes events in a program, and [`text::write`] writes them down again.
//!
//! ```
//! use fantail_event::{Event, EventView as _, SentEvent, Timestamp, ValueRef};
//!
//! let event = Event::builder(Timestamp::from_unix_micros(0))
//!     .name("login_finished")
//!     .field("user", "anna")
//!     .field("tries", 3)
//!     .build()?;
//! let sent = SentEvent::alone(&event);
//! assert_eq!(sent.name(), Some(&b"login_finished"[..]));
//! assert_eq!(sent.field(b"tries"), Some(ValueRef::Int(3)));
//! # Ok::<(), fantail_event::TooLarge>(())
//! ```
//!
//! Names, keys and values are bytes: mail is full of text in no known
//! encoding. Nothing here does I/O, reads a clock or needs `std`.

#![no_std]

extern crate alloc;

mod activity;
mod effective;
mod event;
pub mod internal;
mod invariant;
mod live;
mod model;
mod sent;
mod span;
pub mod text;
mod value;
mod view;

pub use crate::{
    activity::Activity,
    effective::{EffectiveBuffers, EffectiveEvent},
    event::{Event, EventBuilder, EventRef, MAX_TEXT_BYTES, Source, TooLarge},
    live::{LiveEvents, LiveId, Removed},
    model::{
        category::{
            CategoryError, CategoryErrorKind, CategoryId, CategoryTree, MAX_ANCESTORS,
            MAX_CATEGORIES, MAX_CATEGORY_BYTES, RESERVED_CATEGORIES,
        },
        dialect::Dialect,
        ip::{Ip, Zone, ZoneName},
        level::Level,
        timestamp::Timestamp,
    },
    sent::{Ancestor, SentEvent},
    text::{
        error::{TextError, TextErrorKind},
        escape,
        parser::Parser,
    },
    value::{ElementSource, Elements, IpRef, ValueRef},
    view::{EventView, ExportView, ValueOrigin},
};

/// The field that each event has when it is sent: the microseconds from its
/// creation to its sending.
///
/// One rule for its value and its position:
///
/// - A sent event has the duration of this sending, even if its sender wrote another
///   in a field of that name.
/// - A live event keeps the duration of the sending with which it began, as a
///   field of its own ([`LiveEvents::insert`]); those below it inherit the
///   key's position, never the value, since each has its own.
/// - In an [`EffectiveEvent`] the field stands where its key first comes up from
///   the outermost ancestor down, else last. An ancestor that was made by an
///   [`EventBuilder`] has the field only if it was set.
pub const DURATION: &[u8] = b"duration";
