//! Captures, played connection by connection.

use std::{ops::ControlFlow, path::Path};

use fantail::{
    event::{CategoryTree, Dialect, SentEvent, Timestamp},
    wire::{
        Connection, Limits,
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
    findings: Findings,
}

impl Player {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            categories: CategoryTree::default(),
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
            if self
                .play_connection(path, connection, &mut on_event)
                .is_break()
            {
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
        on_event: &mut impl FnMut(&SentEvent<'_>, Timestamp) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut connection = Connection::new(self.dialect, Limits::default());
        for line in &recorded.lines {
            let now = Timestamp::from_unix_micros(line.micros);
            let mut flow = ControlFlow::Continue(());
            let played = self.play_line(&mut connection, line, |sent| flow = on_event(sent, now));
            if let Err(message) = played {
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
            flow?;
        }
        ControlFlow::Continue(())
    }

    fn play_line(
        &mut self,
        connection: &mut Connection,
        line: &RecordedLine<'_>,
        sent: impl FnOnce(&SentEvent<'_>),
    ) -> Result<(), String> {
        if line.line.len() > WRITER_LINE {
            return Err(format!("the line is longer than {WRITER_LINE} bytes"));
        }
        let played = connection.handle(line.line, &mut self.categories, sent);
        played.map_err(|error| error.to_string())
    }
}

/// The start of a line, printable.
fn shown(line: &[u8]) -> String {
    let start = line.get(..SHOWN).unwrap_or(line).escape_ascii();
    format!("{start}{}", if line.len() > SHOWN { "…" } else { "" })
}
