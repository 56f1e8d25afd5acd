//! The stats-reader protocol: what `doveadm stats` and a stats process say to
//! each other.
//!
//! Both sides begin with a [`greeting`](Side::greeting); then each
//! [`Request`] gets its answer: a dump for `DUMP` and `DUMP-RESET`, a
//! [`Reply`] for the others. Dovecot answers nothing to a command that it does
//! not know, and closes the connection after lines that it cannot read.
//!
//! The dump itself is written from a snapshot of metrics, elsewhere; what is
//! here reads it ([`DumpLine`]). No I/O.

mod answer;

use std::{borrow::Cow, fmt};

use fantail_event::escape::{escape_into, unescape};

pub use self::answer::{DumpLine, Reply};

/// The longest line of a client, LF not counted (1 KiB).
pub const REQUEST_LINE: usize = 1024;

/// The major version of the protocol.
const MAJOR: &[u8] = b"2";

/// One of the two that speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `stats-reader-client`
    Client,
    /// `stats-reader-server`
    Server,
}

impl Side {
    /// The first line of this side, LF included.
    #[must_use]
    pub const fn greeting(self) -> &'static [u8] {
        match self {
            Self::Client => b"VERSION\tstats-reader-client\t2\t0\n",
            Self::Server => b"VERSION\tstats-reader-server\t2\t0\n",
        }
    }

    /// Checks the first line that came from this side; any minor version
    /// will do.
    ///
    /// # Errors
    /// It is another line, of another protocol or another major version.
    pub fn check(self, line: &[u8]) -> Result<(), ReaderError> {
        let name: &[u8] = match self {
            Self::Client => b"stats-reader-client",
            Self::Server => b"stats-reader-server",
        };
        let mut arguments = line.split(|&byte| byte == b'\t');
        let greeting = [arguments.next(), arguments.next()];
        if greeting != [Some(b"VERSION".as_slice()), Some(name)] {
            return Err(ReaderErrorKind::NoHandshake.into());
        }
        match arguments.next() {
            Some(MAJOR) => Ok(()),
            _ => Err(ReaderErrorKind::OtherVersion.into()),
        }
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// `DUMP` or `DUMP-RESET`: all metrics.
    Dump {
        /// The names of the values that are wanted of each field.
        columns: Vec<Cow<'a, [u8]>>,
        /// Whether the metrics begin anew after it.
        reset: bool,
    },
    /// `METRICS-ADD`: one more metric.
    AddMetric(MetricParts<'a>),
    /// `METRICS-REMOVE`
    RemoveMetric {
        /// Its name.
        name: Cow<'a, [u8]>,
    },
    /// `REOPEN` (2.4): the files of exporters.
    Reopen,
    /// `FANTAIL-RELOAD`: the configuration is read again. No Dovecot knows
    /// this, nor answers it.
    Reload,
}

/// A metric as `METRICS-ADD` has it; empty parts are as good as none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricParts<'a> {
    /// Its name.
    pub name: Cow<'a, [u8]>,
    /// What people call it.
    pub description: Cow<'a, [u8]>,
    /// Fields, separated by spaces.
    pub fields: Cow<'a, [u8]>,
    /// Levels of sub-metrics as 2.3 writes them in one line.
    pub group_by: Cow<'a, [u8]>,
    /// The filter.
    pub filter: Cow<'a, [u8]>,
    /// The exporter's name.
    pub exporter: Cow<'a, [u8]>,
    /// What it writes.
    pub exporter_include: Cow<'a, [u8]>,
}

impl<'a> Request<'a> {
    /// Reads a line after the greeting, without its LF. `None` for a command
    /// that is unknown, which Dovecot passes over.
    ///
    /// # Errors
    /// The line is empty or a command has too few arguments: Dovecot closes
    /// the connection. More than it needs are passed over.
    pub fn parse(line: &'a [u8]) -> Result<Option<Self>, ReaderError> {
        if line.is_empty() {
            return Err(ReaderErrorKind::EmptyLine.into());
        }
        let mut arguments = line.split(|&byte| byte == b'\t').map(unescape);
        let command = arguments.next().unwrap_or_default();
        let mut argument = || {
            let argument = arguments.next();
            argument.ok_or(ReaderError::from(ReaderErrorKind::TooFewArguments))
        };
        Ok(Some(match &*command {
            reset @ (b"DUMP" | b"DUMP-RESET") => Self::Dump {
                columns: arguments.collect(),
                reset: reset == b"DUMP-RESET",
            },
            b"METRICS-ADD" => Self::AddMetric(MetricParts {
                name: argument()?,
                description: argument()?,
                fields: argument()?,
                group_by: argument()?,
                filter: argument()?,
                exporter: argument()?,
                exporter_include: argument()?,
            }),
            b"METRICS-REMOVE" => Self::RemoveMetric { name: argument()? },
            b"REOPEN" => Self::Reopen,
            b"FANTAIL-RELOAD" => Self::Reload,
            _ => return Ok(None),
        }))
    }

    /// The command alone, as answers name it.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Dump { reset: false, .. } => "DUMP",
            Self::Dump { reset: true, .. } => "DUMP-RESET",
            Self::AddMetric(_) => "METRICS-ADD",
            Self::RemoveMetric { .. } => "METRICS-REMOVE",
            Self::Reopen => "REOPEN",
            Self::Reload => "FANTAIL-RELOAD",
        }
    }

    /// Appends the line, LF included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.command().as_bytes());
        let mut push = |argument: &[u8]| {
            out.push(b'\t');
            escape_into(argument, out);
        };
        match self {
            Self::Dump { columns, .. } => columns.iter().for_each(|column| push(column)),
            Self::AddMetric(parts) => {
                push(&parts.name);
                push(&parts.description);
                push(&parts.fields);
                push(&parts.group_by);
                push(&parts.filter);
                push(&parts.exporter);
                push(&parts.exporter_include);
            }
            Self::RemoveMetric { name } => push(name),
            Self::Reopen | Self::Reload => {}
        }
        out.push(b'\n');
    }
}

/// A line that is none of this protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderError {
    kind: ReaderErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReaderErrorKind {
    /// The first line is not a `VERSION` of this protocol.
    NoHandshake,
    /// The other side speaks another major version than 2.
    OtherVersion,
    /// The line is empty.
    EmptyLine,
    /// The command needs more arguments.
    TooFewArguments,
    /// A line of a dump does not have its values in full.
    TruncatedDump,
}

impl ReaderError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ReaderErrorKind {
        self.kind
    }
}

impl From<ReaderErrorKind> for ReaderError {
    fn from(kind: ReaderErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for ReaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ReaderErrorKind::NoHandshake => "the first line is no VERSION of this protocol",
            ReaderErrorKind::OtherVersion => "the protocol's major version is not 2",
            ReaderErrorKind::EmptyLine => "the line is empty",
            ReaderErrorKind::TooFewArguments => "the command has too few arguments",
            ReaderErrorKind::TruncatedDump => "a line of the dump has too few values",
        })
    }
}

impl std::error::Error for ReaderError {}
