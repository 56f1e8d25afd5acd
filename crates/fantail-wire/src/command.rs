//! The lines of a stats-writer client.

use std::borrow::Cow;

use fantail_event::{Level, escape, internal::leading_number};

use crate::{WireError, WireErrorKind};

/// The first line of a client: `VERSION stats-client 4 0`.
///
/// ```
/// use fantail_wire::{Handshake, WireErrorKind};
///
/// let handshake: Handshake = Handshake::parse(b"VERSION\tstats-client\t4\t1")?;
/// assert_eq!(handshake.minor, 1);
/// let error = Handshake::parse(b"VERSION\tstats-client\t9\t0").unwrap_err();
/// assert!(matches!(error.kind(), WireErrorKind::OtherVersion));
/// # Ok::<(), fantail_wire::WireError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake {
    /// The minor version; any is accepted.
    pub minor: u32,
}

impl Handshake {
    /// Parses the first line.
    ///
    /// # Errors
    /// The line is not a handshake, or its major version is not 4.
    pub fn parse(line: &[u8]) -> Result<Self, WireError> {
        match parse_version(line, b"stats-client") {
            Some((4, minor)) => Ok(Self { minor }),
            Some(_) => Err(WireErrorKind::OtherVersion.into()),
            None => Err(WireErrorKind::NoHandshake.into()),
        }
    }
}

/// The major and minor version of a line `VERSION protocol major minor`, which has
/// no other arguments.
pub(crate) fn parse_version(line: &[u8], protocol: &[u8]) -> Option<(u32, u32)> {
    let rest = line.strip_prefix(b"VERSION\t")?;
    let numbers = rest.strip_prefix(protocol)?.strip_prefix(b"\t")?;
    let (major, minor) = leading_number(numbers)?;
    let (minor, end) = leading_number(minor?)?;
    let [major, minor] = [major, minor].map(u32::try_from);
    end.is_none().then_some((major.ok()?, minor.ok()?))
}

/// One line of a client after the handshake, borrowed from the line.
///
/// ```
/// use fantail_event::Level;
/// use fantail_wire::Command;
///
/// let Command::Begin { id, parent, level, event } = Command::parse(b"BEGIN\t7\t0\t1\t5\t0\tnlogin")? else {
///     panic!()
/// };
/// assert_eq!((id, parent, level), (7, 0, Level::Info));
/// assert_eq!(event, b"5\t0\tnlogin");
/// # Ok::<(), fantail_wire::WireError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// `CATEGORY name [parent]`: registers a category.
    Category {
        /// Its name.
        name: Cow<'a, [u8]>,
        /// Its parent's name.
        parent: Option<Cow<'a, [u8]>>,
    },
    /// `BEGIN id parent-id log-type <event>`: a live event begins and is sent.
    Begin {
        /// Its id on this connection.
        id: u64,
        /// The parent's id, 0 for none.
        parent: u64,
        /// The level of this sending.
        level: Level,
        /// The event, still as text: see [`Parser::parse`](fantail_event::Parser::parse).
        event: &'a [u8],
    },
    /// `UPDATE id parent-id <event>`: a live event changes.
    Update {
        /// Its id.
        id: u64,
        /// Its parent's id, the same as at BEGIN.
        parent: u64,
        /// The changes, still as text.
        event: &'a [u8],
    },
    /// `EVENT global-id parent-id log-type <event>`: an event is sent.
    Event {
        /// The global event's id, 0 for none.
        global: u64,
        /// The parent's id, 0 for none.
        parent: u64,
        /// The level of this sending.
        level: Level,
        /// The event, still as text: see [`Parser::parse`](fantail_event::Parser::parse).
        event: &'a [u8],
    },
    /// `END id`: a live event ends.
    End {
        /// Its id.
        id: u64,
    },
}

impl<'a> Command<'a> {
    /// Parses a line without its LF; the event within stays text.
    ///
    /// # Errors
    /// The command is unknown, or an id, the log type or a name is missing or
    /// malformed.
    #[inline(always)] // Callers that destructure the command never build it.
    pub fn parse(line: &'a [u8]) -> Result<Self, WireError> {
        if let Some(rest) = line.strip_prefix(b"EVENT\t") {
            let mut arguments = Arguments(Some(rest));
            Ok(Self::Event {
                global: arguments.id()?,
                parent: arguments.id()?,
                level: arguments.level()?,
                event: arguments.event(),
            })
        } else if let Some(rest) = line.strip_prefix(b"BEGIN\t") {
            let mut arguments = Arguments(Some(rest));
            Ok(Self::Begin {
                id: arguments.id()?,
                parent: arguments.id()?,
                level: arguments.level()?,
                event: arguments.event(),
            })
        } else if let Some(rest) = line.strip_prefix(b"UPDATE\t") {
            let mut arguments = Arguments(Some(rest));
            Ok(Self::Update {
                id: arguments.id()?,
                parent: arguments.id()?,
                event: arguments.event(),
            })
        } else if let Some(rest) = line.strip_prefix(b"END\t") {
            let id = Arguments(Some(rest)).id()?;
            Ok(Self::End { id })
        } else if let Some(rest) = line.strip_prefix(b"CATEGORY\t") {
            let mut names = rest.splitn(3, |byte| *byte == b'\t').map(escape::unescape);
            Ok(Self::Category {
                name: names.next().unwrap_or_default(),
                parent: names.next(),
            })
        } else {
            Err(without_arguments(line).into())
        }
    }

    /// Appends the line with its LF; [`parse`](Self::parse) reads it back.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Category { name, parent } => {
                out.extend_from_slice(b"CATEGORY\t");
                escape::escape_into(name, out);
                if let Some(parent) = parent {
                    out.push(b'\t');
                    escape::escape_into(parent, out);
                }
            }
            Self::Begin {
                id,
                parent,
                level,
                event,
            } => {
                push_event(
                    out,
                    &format!("BEGIN\t{id}\t{parent}\t{}\t", level.to_wire()),
                    event,
                );
            }
            Self::Update { id, parent, event } => {
                push_event(out, &format!("UPDATE\t{id}\t{parent}\t"), event);
            }
            Self::Event {
                global,
                parent,
                level,
                event,
            } => {
                let head = format!("EVENT\t{global}\t{parent}\t{}\t", level.to_wire());
                push_event(out, &head, event);
            }
            Self::End { id } => out.extend_from_slice(format!("END\t{id}").as_bytes()),
        }
        out.push(b'\n');
    }
}

fn push_event(out: &mut Vec<u8>, head: &str, event: &[u8]) {
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(event);
}

/// The error of a line that is not a command followed by a TAB.
#[cold]
fn without_arguments(line: &[u8]) -> WireErrorKind {
    match line {
        b"" => WireErrorKind::EmptyLine,
        b"EVENT" | b"BEGIN" | b"UPDATE" | b"END" => WireErrorKind::BadId,
        b"CATEGORY" => WireErrorKind::MissingCategory,
        _ => WireErrorKind::UnknownCommand,
    }
}

struct Arguments<'a>(Option<&'a [u8]>);

impl<'a> Arguments<'a> {
    #[inline]
    fn id(&mut self) -> Result<u64, WireError> {
        match self.unsigned() {
            Some(id) => Ok(id),
            None => Err(WireErrorKind::BadId.into()),
        }
    }

    #[inline]
    fn level(&mut self) -> Result<Level, WireError> {
        match self.unsigned().and_then(Level::from_wire) {
            Some(level) => Ok(level),
            None => Err(WireErrorKind::BadLevel.into()),
        }
    }

    /// A decimal number.
    #[inline]
    fn unsigned(&mut self) -> Option<u64> {
        let (number, rest) = leading_number(self.0?)?;
        self.0 = rest;
        Some(number)
    }

    fn event(&mut self) -> &'a [u8] {
        self.0.take().unwrap_or_default()
    }
}
