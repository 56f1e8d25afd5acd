//! The finding of a comparison: value, origin, reason.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use fantail_event::{Ip, Level, Timestamp, ValueOrigin};
use fantail_syntax::Shown;

use super::Reason;

/// The value that a comparison found in an event, its origin, and the reason of the
/// result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermResult {
    pub(super) seen: Seen,
    pub(super) origin: Option<ValueOrigin>,
    pub(super) reason: Reason,
    /// The constant of the comparison, if the words need it.
    pub(super) wanted: Box<[u8]>,
}

impl TermResult {
    pub(super) fn new(seen: Seen, reason: Reason) -> Self {
        Self {
            seen,
            origin: None,
            reason,
            wanted: Box::default(),
        }
    }

    pub(super) fn wanted(self, wanted: &[u8]) -> Self {
        Self {
            wanted: wanted.into(),
            ..self
        }
    }

    pub(super) fn from(self, origin: Option<ValueOrigin>) -> Self {
        Self { origin, ..self }
    }

    /// Returns whether the comparison holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.reason.holds()
    }

    /// Returns the value that was compared.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Returns the origin of a field's value. The elements of a list come from the
    /// whole chain; the origin is that of the first list.
    #[must_use]
    pub fn origin(&self) -> Option<ValueOrigin> {
        self.origin
    }

    /// Returns why the comparison does or does not hold.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the [reason](Self::reason) in words.
    pub fn words(&self) -> impl fmt::Display {
        Words(self)
    }
}

/// The value that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// No value, or one that cannot be shown.
    Nothing,
    /// The event's name, or a field's text.
    Text(Box<[u8]>),
    /// A number.
    Number(i64),
    /// 2.4's `duration`: microseconds from creation to sending.
    Duration(i64),
    /// A point in time.
    Time(Timestamp),
    /// An address.
    Address(Ip),
    /// The elements of a list, outermost event first.
    List {
        /// The first of them.
        elements: Vec<Box<[u8]>>,
        /// How many there are.
        count: usize,
    },
    /// A log level.
    Level(Level),
    /// A line of source code.
    Source {
        /// The file.
        file: Box<[u8]>,
        /// The line, 0 if unknown.
        line: u32,
    },
}

impl Seen {
    /// The greatest number of elements kept of a list.
    pub const MAX_ELEMENTS: usize = 16;
}

/// The greatest number of bytes of a text that is shown.
const SHOWN_BYTES: usize = 80;

fn quoted(f: &mut fmt::Formatter<'_>, text: &[u8]) -> fmt::Result {
    write!(f, "\"{}\"", Shown::up_to(text, SHOWN_BYTES))
}

/// In one line, long texts cut; empty for nothing.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Text(text) => quoted(f, text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Duration(micros) => write!(f, "{micros} microseconds from creation to sending"),
            Self::Time(time) => write!(f, "{} microseconds since 1970", time.unix_micros()),
            Self::Address(ip) => write!(f, "{ip}"),
            Self::List { elements, count } => {
                f.write_str("[")?;
                for (n, element) in elements.iter().enumerate() {
                    f.write_str(if n == 0 { "" } else { ", " })?;
                    quoted(f, element)?;
                }
                match count.saturating_sub(elements.len()) {
                    0 => f.write_str("]"),
                    more => write!(f, ", and {more} more]"),
                }
            }
            Self::Level(level) => f.write_str(level.name()),
            Self::Source { file, line } => {
                write!(f, "{}:{line}", Shown::up_to(file, SHOWN_BYTES))
            }
        }
    }
}

/// The value seen, where it came from, and the reason.
impl fmt::Display for TermResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seen != Seen::Nothing {
            self.seen.fmt(f)?;
            match self.origin {
                None | Some(ValueOrigin::Own) => {}
                Some(ValueOrigin::Parent(1)) => f.write_str(" (of the parent)")?,
                Some(ValueOrigin::Parent(n)) => write!(f, " (of parent {n})")?,
                Some(ValueOrigin::Global(0)) => f.write_str(" (of the global event)")?,
                Some(ValueOrigin::Global(n)) => write!(f, " (of the global event's parent {n})")?,
            }
            f.write_str(": ")?;
        }
        Words(self).fmt(f)
    }
}

struct Words<'f>(&'f TermResult);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TermResult {
            seen,
            reason,
            wanted,
            ..
        } = self.0;
        f.write_str(reason.words())?;
        let wanted = Shown::up_to(wanted, SHOWN_BYTES);
        match (reason, seen) {
            (Reason::NameCase, Seen::Text(seen)) => {
                write!(f, ": {} ≠ {wanted}", Shown::up_to(seen, SHOWN_BYTES))
            }
            (Reason::UnitAmbiguous, _) => write!(f, ": write {wanted}MB or {wanted}mins"),
            (Reason::TextOfReading, _) => write!(f, ": \"{wanted}\""),
            _ => Ok(()),
        }
    }
}
