//! The event model of Dovecot: events, their text form, and what they inherit.
//!
//! | type | meaning |
//! | --- | --- |
//! | [`EventRef`], [`Event`] | one event: its text and the spans of its parts, borrowed or owned |
//! | [`ValueRef`] | the value of a field |
//! | [`LiveEvents`], [`LiveId`] | the events that others may inherit from, and their numbers |
//! | [`SentEvent`] | an event with its level, its ancestors, the global event and the categories |
//! | [`Activity`] | an action of a client: it sent, updated or ended an event |
//! | [`EffectiveEvent`] | an event with all that it inherits, for exporters |
//! | [`EventView`], [`ExportView`] | the traits that filters and exporters use; implement them for your own types |
//!
//! [`Parser`] reads the text form that Dovecot's processes send, [`text::write`]
//! writes it, and [`EventBuilder`] makes events in a program.
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
//! Names, keys and values are bytes, since text in mail may have any encoding. The
//! crate does no I/O, reads no clock and does not need `std`; the feature `std` makes a
//! [`Timestamp`] of a `SystemTime`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod activity;
mod allocation;
mod effective;
pub mod escape;
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
        from_text::ParseValueError,
        ip::{Ip, Zone, ZoneName},
        level::Level,
        timestamp::Timestamp,
    },
    sent::{Ancestor, SentEvent},
    text::{
        error::{TextError, TextErrorKind},
        parser::Parser,
    },
    value::{ElementSource, Elements, IpRef, ValueRef},
    view::{EventView, ExportView, ValueOrigin},
};

/// The field `duration` that each sent event has: the microseconds from its creation
/// to its sending.
///
/// The rules for its value and position:
///
/// - A sent event has the duration of this sending, even if its sender set a field of
///   that name.
/// - A live event keeps the duration of its first sending as a field of its own
///   ([`LiveEvents::insert`]). Events below it inherit the position of the key, not
///   the value, since each has a duration of its own.
/// - In an [`EffectiveEvent`] the field has the position where its key first occurs
///   from the outermost ancestor down, else the last. An ancestor that was made by an
///   [`EventBuilder`] has the field only if it was set.
pub const DURATION: &[u8] = b"duration";
