//! Captures, played connection by connection.

use std::{ops::ControlFlow, path::Path};

use fantail::{
    event::{CategoryTree, Dialect, RawSending, Scan, SentEvent, Timestamp},
    wire::{
        Connection, Limits, WireError,
        capture::{Capture, RecordedConnection, RecordedLine},
        lines::WRITER_LINE,
    },
};

use crate::exit::{Findings, say};

/// How many bytes of a bad line are shown.
const SHOWN: usize = 120;

/// Plays captures one after another; categories stay known, as in a server.
pub(crate) struct Player {
    dialect: Dialect,
    categories: CategoryTree,
    scan: Scan,
    findings: Findings,
}

/// Has a line handled, and what is sent looked at.
type Handle<'a> = dyn FnMut(Played<'_>) -> Result<ControlFlow<()>, WireError> + 'a;

/// A line in its place.
struct Played<'p> {
    connection: &'p mut Connection,
    categories: &'p mut CategoryTree,
    scan: &'p mut Scan,
    line: &'p [u8],
    now: Timestamp,
}

impl Player {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            categories: CategoryTree::default(),
            scan: Scan::new(),
            findings: Findings::None,
        }
    }

    /// Whether anything was wrong so far.
    pub(crate) fn findings(&self) -> Findings {
        self.findings
    }

    /// Plays one capture until `on_event` breaks off; it gets each event and
    /// the time of its line. What is wrong in the capture is said, and passed
    /// over.
    pub(crate) fn play(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mut on_event: impl FnMut(&SentEvent<'_>, Timestamp) -> ControlFlow<()>,
    ) {
        self.play_with(path, bytes, &mut |played| {
            let (line, now, mut flow) = (played.line, played.now, ControlFlow::Continue(()));
            let sent = |sent: &SentEvent<'_>| flow = on_event(sent, now);
            let handled = played.connection.handle(line, played.categories, sent);
            handled.map(|()| flow)
        });
    }

    /// As [`play`](Self::play), with events as they are read.
    pub(crate) fn play_raw(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mut on_event: impl FnMut(&RawSending<'_>, Timestamp) -> ControlFlow<()>,
    ) {
        self.play_with(path, bytes, &mut |played| {
            let (line, now, mut flow) = (played.line, played.now, ControlFlow::Continue(()));
            let sent = |sent: &RawSending<'_>| flow = on_event(sent, now);
            let (connection, categories) = (played.connection, played.categories);
            let handled = connection.handle_raw(line, categories, played.scan, sent);
            handled.map(|()| flow)
        });
    }

    fn play_with(&mut self, path: &Path, bytes: &[u8], handle: &mut Handle<'_>) {
        let capture = Capture::parse(bytes);
        for error in &capture.errors {
            self.findings = Findings::Some;
            say(format_args!(
                "{}:{}: error: {error}",
                path.display(),
                error.line()
            ));
        }
        for connection in &capture.connections {
            if self.play_connection(path, connection, handle).is_break() {
                return;
            }
        }
    }

    /// Plays lines until the first that Dovecot would refuse: it would close
    /// the connection there.
    fn play_connection(
        &mut self,
        path: &Path,
        recorded: &RecordedConnection<'_>,
        handle: &mut Handle<'_>,
    ) -> ControlFlow<()> {
        let mut connection = Connection::new(self.dialect, Limits::default());
        for line in &recorded.lines {
            match self.play_line(&mut connection, line, handle) {
                Ok(flow) => flow?,
                Err(message) => {
                    self.findings = Findings::Some;
                    say(format_args!(
                        "{}:{}: error: connection {}: {message}; the rest of it is left out\n  {}",
                        path.display(),
                        line.number,
                        recorded.name.escape_ascii(),
                        shown(line.line)
                    ));
                    break;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn play_line(
        &mut self,
        connection: &mut Connection,
        line: &RecordedLine<'_>,
        handle: &mut Handle<'_>,
    ) -> Result<ControlFlow<()>, String> {
        if line.line.len() > WRITER_LINE {
            return Err(format!("the line is longer than {WRITER_LINE} bytes"));
        }
        let played = handle(Played {
            connection,
            categories: &mut self.categories,
            scan: &mut self.scan,
            line: line.line,
            now: Timestamp::from_unix_micros(line.micros),
        });
        played.map_err(|error| error.to_string())
    }
}

/// The start of a line, printable.
fn shown(line: &[u8]) -> String {
    let start = line.get(..SHOWN).unwrap_or(line).escape_ascii();
    format!("{start}{}", if line.len() > SHOWN { "…" } else { "" })
}
