//! The text form of an event: what Dovecot's processes send.
//!
//! Arguments: `created-sec`, `created-usec`, then any of `s<file> <line>`,
//! `a`, `l<sec> <usec>`, `n<name>`, `c<category>`, `I<key> <integer>`,
//! `S<key> <text>`, `T<key> <sec> <usec>`, `P<key> <ip>`,
//! `L<key> <count> <element>…`. Arguments with another first byte are ignored, as
//! in Dovecot. Arguments are [escaped](crate::escape) and separated by TABs.

mod arguments;
pub(crate) mod decimal;
mod digits;
pub(crate) mod error;
pub(crate) mod numbers;
pub(crate) mod parser;
mod tabs;
mod write;

pub use self::{numbers::integer, write::write};

/// The largest number of fields, and of categories, of one event.
///
/// Events of Dovecot have some 60 fields at most. Fields are found by a linear
/// search, whose time this limit bounds.
pub const MAX_FIELDS: usize = 1024;
