//! A second implementation of Dovecot's event model: simple, slow, and used by
//! tests only.
//!
//! The property tests and fuzz targets send the same lines to fantail and to
//! this crate, and compare the answers. The code here favours clarity: it
//! copies every byte, searches lists from the front, and caches nothing.
//!
//! | Module | What it covers |
//! | --- | --- |
//! | [`parse()`] | the text form of an event, and its errors |
//! | [`Categories`] | the category tree |
//! | [`Connection`] | commands, live events, limits, what is sent, updated and ended |
//! | [`Sent`], [`Effective`] | inheritance: look-ups and the effective event |
//! | [`matching`], [`holding`] | which filters of a list match |
//!
//! # What is shared with fantail
//!
//! - the comparison of two values (`fantail_filter::CompiledComparison::holds`), asked
//!   over this crate's own `EventView`; recordings of real Dovecots test it;
//! - the syntax tree of a filter (`fantail_syntax::Tree`);
//! - plain data: `Dialect`, `Level`, `Timestamp` and its difference, `Ip` and
//!   its parser, `Limits`, and the enums of error kinds.
//!
//! # What is not covered
//!
//! `Limits::live_bytes`, the length of a line, metrics and output formats.
//!
//! # Where fantail and this crate differ from Dovecot
//!
//! An empty line is accepted ([`Connection::line`]). Dovecot closes the
//! connection.
//!
//! ```
//! use fantail_event::Dialect;
//! use fantail_filter::Filter;
//! use fantail_oracle::{Categories, Connection, Value, matching};
//! use fantail_wire::Limits;
//!
//! let mut categories = Categories::default();
//! let mut connection = Connection::new(Dialect::V2_4, Limits::default());
//! for line in [
//!     "VERSION\tstats-client\t4\t0",
//!     "CATEGORY\timap",
//!     "BEGIN\t1\t0\t1\t1700000000\t0\tcimap\tSuser\tanna",
//! ] {
//!     assert_eq!(connection.line(line.as_bytes(), &mut categories).refused, None);
//! }
//!
//! let line = b"EVENT\t0\t1\t1\t1700000000\t0\tl1700000000\t7\tnlogin";
//! let sent = connection.line(line, &mut categories).sent.unwrap();
//! let fields = sent.effective(&categories).fields;
//! assert_eq!(fields[0], (b"user".to_vec(), Value::Str(b"anna".to_vec())));
//! assert_eq!(fields[1], (b"duration".to_vec(), Value::Int(7)));
//!
//! let filters: Vec<Filter> = vec!["event=logout".parse()?, "user=Anna".parse()?];
//! assert_eq!(matching(&filters, Dialect::V2_4, &sent, &categories), [1]);
//! # Ok::<(), fantail_syntax::ParseErrors>(())
//! ```

#![forbid(unsafe_code)]

mod category;
mod connection;
mod effective;
mod matching;
mod parse;
mod value;
mod view;

pub use crate::{
    category::Categories,
    connection::{Answer, Connection, Refusal},
    effective::{Effective, Sent},
    matching::{holding, matching},
    parse::{MAX_FIELDS, ParseError, parse},
    value::{Event, Fields, Value, set},
};
