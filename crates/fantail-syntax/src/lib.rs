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
//!
//! # The filter language
//! A filter compares the name, the categories, the source and the fields of an event:
//!
//! ```text
//! event=imap_command_finished AND (bytes_out>1k OR duration>=2s) AND NOT user=*@example.org
//! ```
//!
//! ```text
//! filter     = comparison | NOT filter | filter AND filter | filter OR filter | "(" filter ")"
//! comparison = key operator value
//! operator   = "=" | "<" | ">" | "<=" | ">="
//! key, value = word | string
//! word       = letters, digits and : . * ? _ -   (2.4 also: / %)
//! string     = '"' text '"', with \" and \\ for " and \
//! ```
//!
//! The letter case of `AND`, `OR` and `NOT` does not matter. **`AND` and `OR` group from the
//! left and neither binds tighter:** `a=1 OR b=2 AND c=3` is `(a=1 OR b=2) AND c=3`. `NOT`
//! binds tighter than both. Bytes from 0x80 are allowed only in strings. The empty filter
//! matches nothing.
//!
//! | comparison | true if |
//! | --- | --- |
//! | `event=imap_*` | the event has such a name; letter case matters |
//! | `category=mail` | the event, or one that it inherits from, has this category or one below it |
//! | `category=error` | the event has this level: `debug`, `info`, `warning`, `error`, `fatal` or `panic` |
//! | `source_location="imap-fetch.c:12"`, `source_location=imap-fetch.c` | the event comes from this line or file |
//! | `user=ann*` | the field `user` of the event, or the nearest one that it inherits, has such a value |
//! | `user=""` | the event has no such field, or an empty one |
//! | `bytes_out>=4k` | the field is a number in this range |
//! | `remote_ip=10.0.0.0/8` | the field is an address in this network |
//! | `duration>500ms` | the event took longer (2.4) |
//!
//! In texts, `*` is any text, also an empty one, and `?` a single byte; letter case does not
//! matter. Within a string of 2.4, `\*` and `\?` are the characters themselves. Only numbers
//! have an order: `<` and `>` are false for other values. A comparison with a list is true
//! if it is for an element.
//!
//! ```
//! # use fantail_syntax::{ParseOptions, parse};
//! # let canonical = |text: &str| {
//! #     let tree = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
//! #     String::from_utf8(tree.canonical().to_vec()).unwrap()
//! # };
//! // From the left.
//! assert_eq!(
//!     canonical("a=1 or b=2 AND not c=3"),
//!     r#"((("a"="1" OR "b"="2") AND (NOT "c"="3")))"#
//! );
//! // Sizes and intervals are numbers: bytes and microseconds.
//! assert_eq!(canonical("bytes_out>4k"), r#"("bytes_out">"4096")"#);
//! assert_eq!(canonical(r#"duration>="1500 msecs""#), r#"("duration">="1500000")"#);
//! ```
//!
//! ## What a value is (2.4)
//! The first that fits: a whole number (`-5`), an address or a network (`::1`,
//! `10.0.0.0/8`), a size (`5k`, `"5 MB"`, `5GiB`; powers of 1,024), an interval (`5ms`,
//! `"2 secs"`, `3mins`, `1week`), a text. Quotes do not change it: `f="1.5"` compares with
//! the address 1.0.0.5, and `f=5M`, mega or minutes, matches no number.
//! `Filter::warnings` of `fantail-filter` reports such values.
//!
//! ## What differs in Dovecot 2.3
//! A value is a whole number above −2³¹ or a text; there are no sizes, intervals, addresses
//! and no `duration`, except as the field that a stats server adds. In strings only `\"`
//! and `\\` are escapes, so wildcards cannot be escaped. Comparing a number with a text that
//! has no wildcards ends a Dovecot 2.3 process; `Filter::hazards` of `fantail-filter`
//! reports these.

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
