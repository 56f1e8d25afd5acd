//! The event model of Dovecot: what an event is, and how it is written down.
//!
//! An [`Event`] has an optional name, categories, typed fields, a source
//! place and two times. When it is sent it has a [`Level`], parents and
//! possibly a global event; all of it together is a [`SentEvent`], and
//! [`EventView`] is what filters ask of it (implement it for your own type to
//! match that one without copying).
//!
//! A server that reads very many events does without vectors of fields:
//! [`Scan`] reads one as a [`RawEvent`], [`KeptEvent`] keeps it for those that
//! inherit from it, and a [`RawSending`] is all that is sent. Who writes events
//! down reads a [`Flat`], which is a view of either kind.
//!
//! Names, keys and values are bytes: mail is full of text in no known
//! encoding. Nothing here does I/O, reads a clock or needs `std`.

#![no_std]

extern crate alloc;

mod category;
mod context;
pub mod decimal;
mod dialect;
mod digits;
mod error;
pub mod escape;
mod event;
mod flat;
mod flatten;
mod gather;
mod ip;
mod kept;
mod level;
mod marks;
mod name;
mod raw;
mod scan;
mod sending;
pub mod text;
mod timestamp;
mod value;
mod view;

pub use crate::{
    category::{CategoryError, CategoryId, CategoryTree, MAX_ANCESTORS, MAX_CATEGORIES},
    context::SentEvent,
    dialect::Dialect,
    error::{TextError, TextErrorKind},
    event::{Bytes, Event, Field, Source},
    flat::{Elements, Flat, FlatIp, FlatValue},
    gather::Gather,
    ip::{Ip, Zone, ZoneName},
    kept::{KeptEvent, Known},
    level::Level,
    name::same_name,
    raw::RawEvent,
    scan::{MAX_TEXT, Scan},
    sending::RawSending,
    timestamp::Timestamp,
    value::{Value, ValueRef},
    view::{EventView, Origin},
};
