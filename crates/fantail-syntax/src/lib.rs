//! The event filter language of Dovecot: lexer, grammar, syntax tree,
//! canonical printer.
//!
//! [`parse`] reads one filter, in the dialect of Dovecot 2.3 or 2.4, into a
//! [`Tree`]; the tree prints itself as Dovecot does ([`Tree::canonical`]) or
//! so that it always reads back the same ([`Tree::exact`]). A text that is no
//! filter gives [`ParseErrors`]: several in one pass, each with its place, a
//! stable code, what was expected and, for common slips, what to write.
//!
//! The crate does not know the *meaning* of a filter: it has no events. The
//! parser does not recurse, so that no input can exhaust the stack, and
//! [`Limits`] bound the cost of filters that arrive at run time.
//!
//! ```
//! use fantail_syntax::{ParseOptions, parse};
//!
//! let tree = parse(b"event=imap_* OR bytes_out>1k AND NOT user=\"\"", &ParseOptions::default())?;
//! assert_eq!(
//!     tree.canonical(),
//!     br#"(((event="imap_*" OR "bytes_out">"1024") AND (NOT "user"="")))"#
//! );
//! # Ok::<(), fantail_syntax::ParseErrors>(())
//! ```

#![no_std]

extern crate alloc;

mod error;
mod lex;
mod options;
mod parse;
mod text;
mod tree;

/// Items for other crates of this workspace; not part of the stable interface.
#[doc(hidden)]
pub mod internal {
    pub use crate::text::interval::unit_milliseconds;
}

pub use crate::{
    error::{ParseError, ParseErrorKind, ParseErrors, Suggestion},
    options::{Limits, ParseOptions},
    parse::parse,
    text::shown::Shown,
    tree::{
        Comparison, Key, Node, NodeId, NodeKind, Operator, Tree,
        network::Network,
        value::{PatternPart, SourcePlace, Value, ValueKind},
    },
};
