//! The event filter language of Dovecot: lexer, grammar, syntax tree,
//! canonical printer.
//!
//! [`parse`] reads one filter, in the dialect of Dovecot 2.3 or 2.4, into a
//! [`Tree`]; the tree prints itself as Dovecot does ([`Tree::canonical`]) or
//! so that it always reads back the same ([`Tree::exact`]). A text that is no
//! filter gives [`ParseErrors`]: several in one pass, each with its place, a
//! stable code, what was expected and, for common slips, what to write.
//!
//! What a filter *means* is not here: this crate knows no events. Nothing
//! here recurses, so that no input can exhaust the stack, and [`Limits`] bound
//! what a filter that arrives at run time can cost.
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

mod builder;
mod error;
mod escape;
mod grammar;
mod lexer;
mod network;
mod options;
mod parse;
mod print;
mod shown;
mod slip;
mod token;
mod tree;
mod value;

pub use crate::{
    error::{ParseError, ParseErrorKind, ParseErrors, Suggestion},
    network::Network,
    options::{Limits, ParseOptions},
    parse::parse,
    shown::Shown,
    tree::{Comparison, Key, Node, NodeId, NodeKind, Operator, Span, Tree},
    value::{PatternPart, SourcePlace, Value, ValueKind},
};
