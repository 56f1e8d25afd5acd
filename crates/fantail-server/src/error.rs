//! Errors of the server and of the requests to a running one.

use std::{error::Error, fmt, io};

use crate::exporters::ExportersError;

type Source = Box<dyn Error + Send + Sync>;

/// A request that a running server did not carry out.
#[derive(Debug)]
pub struct ControlError {
    kind: ControlErrorKind,
    source: Option<Source>,
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlErrorKind {
    /// The server has ended.
    Ended,
    /// The configuration has errors, or cannot be read.
    Configuration,
    /// The settings of a metric have errors, or do not fit the configuration.
    Metric,
    /// A metric of this name exists.
    MetricExists,
    /// No metric has this name.
    UnknownMetric,
    /// An exporter cannot be started.
    Exporter,
    /// The filter of a tap cannot be read.
    Filter,
    /// The filter of a tap is empty.
    EmptyFilter,
    /// The format of a tap is unknown, or not made of lines.
    Format,
    /// All taps are taken.
    TooManyTaps,
    /// As many pages are open as may be.
    TooManyPages,
    /// No page watches this filter.
    NotWatched,
    /// The server keeps no events.
    NothingKept,
    /// A recording cannot be started, or another goes on.
    Recording,
    /// No recording goes on.
    NotRecording,
    /// A file of the configuration does not answer.
    Stuck,
    /// A filter would end every process of Dovecot 2.3 that gets it.
    CrashesDovecot,
    /// Answers to other clients hold all memory for answers.
    Busy,
}

impl ControlError {
    pub(crate) fn new(kind: ControlErrorKind, source: impl Into<Source>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ControlErrorKind {
        self.kind
    }
}

impl From<ControlErrorKind> for ControlError {
    fn from(kind: ControlErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<ControlError> for ServerError {
    fn from(error: ControlError) -> Self {
        Self::new(ServerErrorKind::Configuration, error)
    }
}

impl From<ExportersError> for ControlError {
    fn from(error: ExportersError) -> Self {
        Self::new(ControlErrorKind::Exporter, error)
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            return source.fmt(f);
        }
        f.write_str(match self.kind {
            ControlErrorKind::Ended => "the server has ended",
            ControlErrorKind::Configuration => "the configuration cannot be used",
            ControlErrorKind::Metric => "the metric cannot be used",
            // The words of Dovecot.
            ControlErrorKind::MetricExists => "Metric already exists",
            ControlErrorKind::UnknownMetric => "no metric has this name",
            ControlErrorKind::Exporter => "an exporter cannot be started",
            ControlErrorKind::Filter => "the filter cannot be read",
            ControlErrorKind::EmptyFilter => "the filter is empty",
            ControlErrorKind::Format => "unknown format; use json, tab-text, logfmt or ndjson",
            ControlErrorKind::Stuck => {
                "a file of the configuration, or of an exporter, does not answer; check \
                 includes, `file_path` and spools for pipes and file systems that hang"
            }
            ControlErrorKind::CrashesDovecot => "a filter ends processes of Dovecot 2.3",
            ControlErrorKind::Busy => {
                "answers that other clients have not read hold all memory for answers; \
                 try again in 10 seconds"
            }
            ControlErrorKind::NothingKept => {
                "the server keeps no recent events; start it with `--recent 16M`"
            }
            ControlErrorKind::Recording => "the recording cannot be started",
            ControlErrorKind::NotRecording => "no recording goes on",
            ControlErrorKind::TooManyPages => "too many pages are open; close one",
            ControlErrorKind::NotWatched => "no open page watches this filter",
            ControlErrorKind::TooManyTaps => "all taps are taken; wait until one ends",
        })
    }
}

impl Error for ControlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // Its own message is that of the source.
        self.source.as_ref().and_then(|source| source.source())
    }
}

/// A server that cannot start, or cannot go on.
#[derive(Debug)]
pub struct ServerError {
    kind: ServerErrorKind,
    source: Option<Source>,
}

/// Why a server cannot start or go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// The configuration has errors, or cannot be read.
    Configuration,
    /// An exporter cannot be started.
    Exporter,
    /// The system refused a socket, a thread, a user or a file.
    System,
    /// A worker has ended before the server.
    WorkerEnded,
}

impl ServerError {
    pub(crate) fn new(kind: ServerErrorKind, source: impl Into<Source>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Why it cannot start or go on.
    #[must_use]
    pub const fn kind(&self) -> ServerErrorKind {
        self.kind
    }
}

impl From<ServerErrorKind> for ServerError {
    fn from(kind: ServerErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> Self {
        Self::new(ServerErrorKind::System, error)
    }
}

impl From<ExportersError> for ServerError {
    fn from(error: ExportersError) -> Self {
        Self::new(ServerErrorKind::Exporter, error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            return source.fmt(f);
        }
        f.write_str(match self.kind {
            ServerErrorKind::Configuration => "the configuration cannot be used",
            ServerErrorKind::Exporter => "an exporter cannot be started",
            ServerErrorKind::System => "the system refused a request",
            ServerErrorKind::WorkerEnded => "a worker has ended; the reason is above",
        })
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().and_then(|source| source.source())
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, io};

    use super::{ControlError, ControlErrorKind, ServerError, ServerErrorKind};

    #[test]
    fn an_error_has_the_message_of_its_source() {
        let inner = io::Error::other("no such port");
        let error = ServerError::from(io::Error::other(inner));
        assert_eq!(error.kind(), ServerErrorKind::System);
        assert_eq!(error.to_string(), "no such port");
        let error = ControlError::from(ControlErrorKind::MetricExists);
        assert_eq!(error.to_string(), "Metric already exists");
        assert!(error.source().is_none());
    }
}
