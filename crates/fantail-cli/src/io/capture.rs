//! Captures, played one connection after another.

mod index;
mod lines;
mod source;

use std::{
    fs::File,
    io::{self, BufReader, Seek, SeekFrom},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use fantail::{
    event::{Activity, Dialect, SentEvent, Timestamp},
    wire::{
        Connection, Intake, Limits, WireError, capture::RecordedLine, lines::MAX_WRITER_LINE_BYTES,
    },
};

use self::index::{Index, IndexedConnection};
use crate::{
    exit::{Failure, Findings, say},
    io::{interrupt::Interrupt, progress::Progress},
};

/// The maximum number of bytes of an invalid line that are shown.
const SHOWN_BYTES: usize = 120;

/// The maximum number of errors that are shown; others are counted.
const SHOWN_ERRORS: u64 = 20;

/// The size of the read buffer. Lines of connections are interleaved, so a
/// larger buffer would read unused bytes.
const BUFFER_BYTES: usize = 8 << 10;

/// A capture with its index.
pub(crate) struct Recording {
    path: PathBuf,
    file: BufReader<File>,
    index: Index,
    bytes: u64,
    errors: Vec<String>,
    error_count: u64,
    evidence: Option<Evidence>,
}

/// Evidence for the release of Dovecot that made a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) dialect: Dialect,
    /// A field that the other release does not send.
    pub(crate) field: &'static str,
}

/// Fields that only one release sends, in the form of its clients.
const EVIDENCE: [(&[u8], Evidence); 2] = [
    (
        b"\tInet_in_bytes\t",
        Evidence {
            dialect: Dialect::V2_4,
            field: "net_in_bytes",
        },
    ),
    (
        b"\tIbytes_in\t",
        Evidence {
            dialect: Dialect::V2_3,
            field: "bytes_in",
        },
    ),
];

impl Recording {
    /// Opens a capture, `-` for standard input, and indexes it. Decompresses
    /// files of gzip and zstd.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::file("read", path, &error);
        let file = source::open(path)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut recording = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            index: Index::default(),
            bytes,
            errors: Vec::new(),
            error_count: 0,
            evidence: None,
        };
        recording.look_through().map_err(failed)?;
        Ok(recording)
    }

    fn look_through(&mut self) -> io::Result<()> {
        let mut progress = Progress::new("reading", self.bytes);
        let (mut line, mut start, mut number) = (Vec::new(), 0, 0_u64);
        loop {
            let length = lines::read(&mut self.file, &mut line)?;
            if length == 0 {
                return Ok(());
            }
            number += 1;
            progress.add(usize::try_from(length).unwrap_or(usize::MAX));
            let content = line.strip_suffix(b"\n");
            let whole = content.is_some();
            match RecordedLine::parse(content.unwrap_or(&line), line_number(number), whole) {
                Ok((name, recorded)) if recorded.is_close() => {
                    self.index.close(name, recorded.micros);
                }
                Ok((name, _)) => {
                    self.index.add(name, start, length, number);
                    if self.evidence.is_none() {
                        self.evidence = evidence(&line);
                    }
                }
                Err(error) => {
                    self.error_count += 1;
                    if self.error_count <= SHOWN_ERRORS {
                        let path = self.path.display();
                        self.errors.push(format!("{path}:{number}: error: {error}"));
                    }
                }
            }
            start += length;
        }
    }

    /// Returns the evidence for the release of Dovecot that made the capture.
    pub(crate) fn evidence(&self) -> Option<Evidence> {
        self.evidence
    }

    /// Returns the path of the capture.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn evidence(line: &[u8]) -> Option<Evidence> {
    let found = EVIDENCE
        .iter()
        .find(|(text, _)| line.windows(text.len()).any(|part| part == *text));
    found.map(|(_, evidence)| *evidence)
}

fn line_number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A player of captures; categories stay known between captures, as in a
/// server.
pub(crate) struct Player {
    dialect: Dialect,
    intake: Intake,
    errors: u64,
    interrupt: Interrupt,
    is_silent: bool,
}

/// The callback for an activity and its time.
type OnActivity<'a> = dyn FnMut(&Activity<'_>, Timestamp) -> ControlFlow<()> + 'a;

impl Player {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            intake: Intake::new(),
            errors: 0,
            interrupt: Interrupt::default(),
            is_silent: false,
        }
    }

    /// Creates a player that ignores errors, because they are reported already.
    pub(crate) fn silent(dialect: Dialect) -> Self {
        Self {
            is_silent: true,
            ..Self::new(dialect)
        }
    }

    /// Makes the player stop at Ctrl-C.
    pub(crate) fn until(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Returns whether there were errors, and reports the number of those that
    /// were not shown.
    pub(crate) fn finish(self) -> Findings {
        let more = self.errors.saturating_sub(SHOWN_ERRORS);
        if more > 0 {
            say(format_args!("error: {more} more lines have errors"));
        }
        match self.errors {
            0 => Findings::None,
            _ => Findings::Some,
        }
    }

    /// Plays the events of one capture until `on_event` stops; it gets each
    /// sent event and the time of its line. Invalid lines are reported and
    /// ignored.
    ///
    /// # Errors
    /// Reading the capture fails.
    pub(crate) fn play_events(
        &mut self,
        recording: &mut Recording,
        mut on_event: impl FnMut(&SentEvent<'_>, Timestamp) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        self.play(recording, |activity, now| match activity {
            Activity::Sent { event, .. } => on_event(event, now),
            Activity::Updated { .. } | Activity::Ended { .. } => ControlFlow::Continue(()),
        })
    }

    /// Plays a capture like [`play_events`](Self::play_events), with all
    /// activities of clients.
    ///
    /// # Errors
    /// Reading the capture fails.
    pub(crate) fn play(
        &mut self,
        recording: &mut Recording,
        mut on: impl FnMut(&Activity<'_>, Timestamp) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let path = recording.path.clone();
        for error in &recording.errors {
            self.complain(format_args!("{error}"));
        }
        self.errors += recording.error_count - recording.errors.len() as u64;
        let is_none = recording.index.connections.is_empty() && recording.error_count > 0;
        if is_none && !self.is_silent {
            say(format_args!(
                "note: {} is no capture: `fantail serve --record FILE` writes one",
                path.display()
            ));
        }
        let mut progress = Progress::new("playing", recording.bytes);
        for connection in &recording.index.connections {
            let file = &mut recording.file;
            let flow = self.play_connection(&path, file, connection, &mut progress, &mut on);
            if flow
                .map_err(|error| Failure::file("read", &path, &error))?
                .is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// Plays lines until the first one that Dovecot would refuse: it would
    /// close the connection there.
    fn play_connection(
        &mut self,
        path: &Path,
        file: &mut BufReader<File>,
        recorded: &IndexedConnection,
        progress: &mut Progress,
        on: &mut OnActivity<'_>,
    ) -> io::Result<ControlFlow<()>> {
        let mut connection = Connection::new(self.dialect, Limits::default());
        let mut closed = recorded.closed;
        let mut buffer = Vec::new();
        'runs: for run in recorded.runs() {
            go_to(file, run.start)?;
            for number in (run.number..).take(line_number(run.lines)) {
                let length = lines::read(file, &mut buffer)?;
                progress.add(usize::try_from(length).unwrap_or(usize::MAX));
                let content = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
                // The index contains only valid lines: only a changing file has
                // others.
                let line = RecordedLine::parse(content, line_number(number), true);
                let (_, line) = line.map_err(io::Error::other)?;
                match self.play_line(&mut connection, &line, on) {
                    Ok(flow) if flow.is_break() => return Ok(flow),
                    Ok(_) if self.interrupt.is_raised() => return Ok(ControlFlow::Break(())),
                    Ok(_) => {}
                    Err(error) => {
                        let name = recorded.name.escape_ascii();
                        progress.suspend(|| {
                            self.complain(format_args!(
                                "{}:{number}: error: connection {name}: {error}; the rest of it is left out\n  {}",
                                path.display(),
                                shown(line.line)
                            ));
                        });
                        closed = Some(line.micros);
                        break 'runs;
                    }
                }
            }
        }
        let mut flow = ControlFlow::Continue(());
        connection.close(&mut self.intake, |activity| {
            // A connection that is open at the end of the recording has no end.
            if let Some(micros) = closed
                && flow.is_continue()
            {
                flow = on(&activity, Timestamp::from_unix_micros(micros));
            }
        });
        Ok(flow)
    }

    fn play_line(
        &mut self,
        connection: &mut Connection,
        line: &RecordedLine<'_>,
        on: &mut OnActivity<'_>,
    ) -> Result<ControlFlow<()>, LineError> {
        if line.line.len() > MAX_WRITER_LINE_BYTES {
            return Err(LineError::TooLong);
        }
        let now = Timestamp::from_unix_micros(line.micros);
        let mut flow = ControlFlow::Continue(());
        let handled = connection.handle(line.line, &mut self.intake, |activity| {
            flow = on(&activity, now);
        });
        handled.map_err(LineError::Wire)?;
        Ok(flow)
    }

    /// Reports an error, up to the maximum number.
    fn complain(&mut self, what: std::fmt::Arguments<'_>) {
        self.errors += 1;
        if self.errors <= SHOWN_ERRORS && !self.is_silent {
            say(what);
        }
    }
}

/// Seeks in a file without reading the buffered bytes again.
fn go_to(file: &mut BufReader<File>, start: u64) -> io::Result<()> {
    let here = file.stream_position()?;
    match i64::try_from(i128::from(start) - i128::from(here)) {
        Ok(offset) => file.seek_relative(offset),
        Err(_) => file.seek(SeekFrom::Start(start)).map(|_| ()),
    }
}

/// The reason why a server would close the connection at a line.
#[derive(Debug)]
enum LineError {
    TooLong,
    Wire(WireError),
}

impl std::fmt::Display for LineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is longer than {MAX_WRITER_LINE_BYTES} bytes"),
            Self::Wire(error) => write!(f, "{error}"),
        }
    }
}

/// Returns the printable start of a line.
fn shown(line: &[u8]) -> String {
    let start = line.get(..SHOWN_BYTES).unwrap_or(line).escape_ascii();
    let end = if line.len() > SHOWN_BYTES { "…" } else { "" };
    format!("{start}{end}")
}
