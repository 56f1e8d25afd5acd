//! The stats-reader protocol between `doveadm stats` and a stats process.
//!
//! Both sides begin with a [`greeting`](Side::greeting). Each [`Request`] gets an
//! answer: a dump for `DUMP` and `DUMP-RESET`, a [`Reply`] for others. Dovecot does
//! not answer unknown commands, and closes the connection after malformed lines.
//!
//! [`DumpLine`] parses dumps; `fantail-exposition` writes them.

mod answer;
mod record;
mod tap;

use std::{borrow::Cow, fmt};

use fantail_event::escape::{escape_into, unescape};

pub use self::{
    answer::{DumpLine, Reply},
    record::{RecordParts, RecordStatus},
    tap::{TapLine, TapParts, TermCounts},
};
use crate::command::parse_version;

/// The longest line of a client, LF not counted.
pub const MAX_REQUEST_LINE_BYTES: usize = 1023;

/// The major version of the protocol.
const MAJOR: u32 = 2;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `stats-reader-client`
    Client,
    /// `stats-reader-server`
    Server,
}

impl Side {
    /// Returns the first line of this side with its LF.
    #[must_use]
    pub const fn greeting(self) -> &'static [u8] {
        match self {
            Self::Client => b"VERSION\tstats-reader-client\t2\t0\n",
            Self::Server => b"VERSION\tstats-reader-server\t2\t0\n",
        }
    }

    /// Checks the first line from this side; any minor version is accepted.
    ///
    /// # Errors
    /// The line is not a handshake of this protocol, or has another major version.
    pub fn check(self, line: &[u8]) -> Result<(), ReaderError> {
        let name: &[u8] = match self {
            Self::Client => b"stats-reader-client",
            Self::Server => b"stats-reader-server",
        };
        match parse_version(without_cr(line), name) {
            Some((MAJOR, _)) => Ok(()),
            Some(_) => Err(ReaderErrorKind::OtherVersion.into()),
            None => Err(ReaderErrorKind::NoHandshake.into()),
        }
    }
}

/// A request of a client.
///
/// ```
/// use fantail_wire::reader::{Request, Side};
///
/// assert!(Side::Client.check(Side::Client.greeting().strip_suffix(b"\n").unwrap()).is_ok());
/// let Some(Request::RemoveMetric { name }) = Request::parse(b"METRICS-REMOVE\tlogins")? else {
///     panic!()
/// };
/// assert_eq!(&*name, b"logins");
/// # Ok::<(), fantail_wire::reader::ReaderError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// `DUMP` or `DUMP-RESET`: all metrics.
    Dump {
        /// The names of the requested values of each field.
        columns: Vec<Cow<'a, [u8]>>,
        /// Whether all metrics are reset after the dump.
        reset: bool,
    },
    /// `METRICS-ADD`: adds a metric.
    AddMetric(MetricParts<'a>),
    /// `METRICS-REMOVE`: removes a metric.
    RemoveMetric {
        /// Its name.
        name: Cow<'a, [u8]>,
    },
    /// `REOPEN` (2.4): reopens the files of exporters.
    Reopen,
    /// `FANTAIL-RELOAD`: reads the configuration again. Dovecot does not know this
    /// command and does not answer it.
    Reload,
    /// `FANTAIL-TAP`: shows events as they arrive, and events that were kept.
    Tap(TapParts<'a>),
    /// `FANTAIL-RECORD-START`: records what clients send in a file.
    StartRecording(RecordParts<'a>),
    /// `FANTAIL-RECORD-STOP`: ends the recording.
    StopRecording,
    /// `FANTAIL-RECORD-STATUS`: asks for the [`RecordStatus`] of the last recording.
    RecordingStatus,
}

/// The arguments of `METRICS-ADD`; an empty argument means that the part is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricParts<'a> {
    /// Its name.
    pub name: Cow<'a, [u8]>,
    /// Its description.
    pub description: Cow<'a, [u8]>,
    /// Fields, separated by spaces.
    pub fields: Cow<'a, [u8]>,
    /// The `group_by` in the one-line syntax of 2.3.
    pub group_by: Cow<'a, [u8]>,
    /// The filter.
    pub filter: Cow<'a, [u8]>,
    /// The exporter's name.
    pub exporter: Cow<'a, [u8]>,
    /// The parts of an event that the exporter writes.
    pub exporter_include: Cow<'a, [u8]>,
}

impl<'a> Request<'a> {
    /// Parses a line after the greeting without its LF; a CR at its end is dropped.
    /// Returns `None` for an unknown
    /// command, which Dovecot ignores. Additional arguments are ignored.
    ///
    /// # Errors
    /// The line is empty or a command has too few arguments: Dovecot closes the
    /// connection.
    pub fn parse(line: &'a [u8]) -> Result<Option<Self>, ReaderError> {
        let line = without_cr(line);
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
            b"FANTAIL-TAP" => Self::Tap(TapParts::parse(arguments)?),
            b"FANTAIL-RECORD-START" => Self::StartRecording(RecordParts {
                path: argument()?,
                seconds: number(&argument()?)?,
                bytes: number(&argument()?)?,
            }),
            b"FANTAIL-RECORD-STOP" => Self::StopRecording,
            b"FANTAIL-RECORD-STATUS" => Self::RecordingStatus,
            _ => return Ok(None),
        }))
    }

    /// Returns the name of the command.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Dump { reset: false, .. } => "DUMP",
            Self::Dump { reset: true, .. } => "DUMP-RESET",
            Self::AddMetric(_) => "METRICS-ADD",
            Self::RemoveMetric { .. } => "METRICS-REMOVE",
            Self::Reopen => "REOPEN",
            Self::Reload => "FANTAIL-RELOAD",
            Self::Tap(_) => "FANTAIL-TAP",
            Self::StartRecording(_) => "FANTAIL-RECORD-START",
            Self::StopRecording => "FANTAIL-RECORD-STOP",
            Self::RecordingStatus => "FANTAIL-RECORD-STATUS",
        }
    }

    /// Appends the line with its LF.
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
            Self::Tap(parts) => parts.write(push),
            Self::StartRecording(parts) => {
                push(&parts.path);
                push(parts.seconds.to_string().as_bytes());
                push(parts.bytes.to_string().as_bytes());
            }
            Self::Reopen | Self::Reload | Self::StopRecording | Self::RecordingStatus => {}
        }
        out.push(b'\n');
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Result<N, ReaderError> {
    let number = std::str::from_utf8(text).ok();
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or(ReaderErrorKind::BadNumber.into())
}

/// A malformed line of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderError {
    kind: ReaderErrorKind,
}

/// The kind of an error in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReaderErrorKind {
    /// The first line is not a `VERSION` of this protocol.
    NoHandshake,
    /// The major version of the other side is not 2.
    OtherVersion,
    /// The line is empty.
    EmptyLine,
    /// The command needs more arguments.
    TooFewArguments,
    /// A numeric argument is not a number.
    BadNumber,
    /// A line of a dump has too few values.
    TruncatedDump,
}

impl ReaderError {
    /// Returns what is wrong.
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
            ReaderErrorKind::NoHandshake => "the first line is not a VERSION line of this protocol",
            ReaderErrorKind::OtherVersion => "the major version of the protocol is not 2",
            ReaderErrorKind::EmptyLine => "the line is empty",
            ReaderErrorKind::TooFewArguments => "the command has too few arguments",
            ReaderErrorKind::BadNumber => "a numeric argument is not a number",
            ReaderErrorKind::TruncatedDump => "a line of the dump has too few values",
        })
    }
}

impl std::error::Error for ReaderError {}
