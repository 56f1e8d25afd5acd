//! Captures, played connection by connection.

use std::{ops::ControlFlow, path::Path};

use fantail::{
    event::{Activity, Dialect, SentEvent, Timestamp},
    wire::{
        Connection, Intake, Limits,
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
    intake: Intake,
    findings: Findings,
}

/// Gets what a client did, and when.
type OnActivity<'a> = dyn FnMut(&Activity<'_>, Timestamp) -> ControlFlow<()> + 'a;

impl Player {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            intake: Intake::new(),
            findings: Findings::None,
        }
    }

    /// Whether anything was wrong so far.
    pub(crate) fn findings(&self) -> Findings {
        self.findings
    }

    /// Plays the events of one capture until `on_event` breaks off; it gets each
    /// event that was sent and the time of its line. What is wrong in the capture
    /// is reported and passed over.
    pub(crate) fn play_events(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mut on_event: impl FnMut(&SentEvent<'_>, Timestamp) -> ControlFlow<()>,
    ) {
        self.play(path, bytes, |activity, now| match activity {
            Activity::Sent { event, .. } => on_event(event, now),
            Activity::Updated { .. } | Activity::Ended { .. } => ControlFlow::Continue(()),
        });
    }

    /// As [`play_events`](Self::play_events), with everything that clients did.
    pub(crate) fn play(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mut on: impl FnMut(&Activity<'_>, Timestamp) -> ControlFlow<()>,
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
            if self.play_connection(path, connection, &mut on).is_break() {
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
        on: &mut OnActivity<'_>,
    ) -> ControlFlow<()> {
        let mut connection = Connection::new(self.dialect, Limits::default());
        let mut closed = recorded.closed;
        for line in &recorded.lines {
            match self.play_line(&mut connection, line, on) {
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
                    closed = Some(line.micros);
                    break;
                }
            }
        }
        let mut flow = ControlFlow::Continue(());
        connection.close(&mut self.intake, |activity| {
            // Nothing ended if the recording ended first.
            if let Some(micros) = closed
                && flow.is_continue()
            {
                flow = on(&activity, Timestamp::from_unix_micros(micros));
            }
        });
        flow
    }

    fn play_line(
        &mut self,
        connection: &mut Connection,
        line: &RecordedLine<'_>,
        on: &mut OnActivity<'_>,
    ) -> Result<ControlFlow<()>, String> {
        if line.line.len() > WRITER_LINE {
            return Err(format!("the line is longer than {WRITER_LINE} bytes"));
        }
        let now = Timestamp::from_unix_micros(line.micros);
        let mut flow = ControlFlow::Continue(());
        let handled = connection.handle(line.line, &mut self.intake, |activity| {
            flow = on(&activity, now);
        });
        handled.map_err(|error| error.to_string())?;
        Ok(flow)
    }
}

/// The start of a line, printable.
fn shown(line: &[u8]) -> String {
    let start = line.get(..SHOWN).unwrap_or(line).escape_ascii();
    format!("{start}{}", if line.len() > SHOWN { "…" } else { "" })
}
