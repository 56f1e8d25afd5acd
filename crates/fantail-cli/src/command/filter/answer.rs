//! The answer to one case of a filter and an event.

use std::fmt;

use fantail::{
    event::{CategoryTree, Dialect, Event, Level, SentEvent, TextError, escape, text},
    filter::{
        Filter,
        internal::{DOVECOT_CATEGORIES, UnprocessedEvent},
    },
    syntax::{ParseErrors, ParseOptions},
};

/// Answers cases of one dialect.
pub(crate) struct Answerer {
    options: ParseOptions,
    categories: CategoryTree,
}

impl Answerer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut categories = CategoryTree::default();
        for (name, parent) in DOVECOT_CATEGORIES {
            // Each parent precedes its children.
            let _ = categories.register(name.as_bytes(), parent.map(str::as_bytes));
        }
        Self {
            options: ParseOptions::new(dialect),
            categories,
        }
    }

    /// Returns the answer to a case, both without their LF.
    pub(crate) fn answer(&self, case: &[u8]) -> Vec<u8> {
        match self.evaluate(case) {
            Ok((canonical, matches)) => {
                let mut answer = b"OK\t".to_vec();
                escape::escape_into(&canonical, &mut answer);
                answer.extend_from_slice(if matches { b"\t1" } else { b"\t0" });
                answer
            }
            Err(error) => {
                let mut answer = b"ERR\t".to_vec();
                escape::escape_into(error.to_string().as_bytes(), &mut answer);
                answer
            }
        }
    }

    fn evaluate(&self, case: &[u8]) -> Result<(Vec<u8>, bool), CaseError> {
        let mut parts = case.splitn(3, |&b| b == b'\t');
        let (Some(level), Some(filter), Some(event)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(CaseError::MissingPart);
        };
        let level = text::integer(level)
            .and_then(|number| u64::try_from(number).ok())
            .and_then(Level::from_wire)
            .ok_or(CaseError::LogType)?;
        let filter =
            Filter::parse(&escape::unescape(filter), &self.options).map_err(CaseError::Filter)?;
        let event = Event::parse(event, &self.categories, self.options.dialect)
            .map_err(CaseError::Event)?;
        // The answers are those of libdovecot's event filter alone.
        let sent = UnprocessedEvent(SentEvent {
            level,
            categories: &self.categories,
            ..SentEvent::alone(&event)
        });
        Ok((filter.canonical().to_vec(), filter.matches(&sent)))
    }
}

/// The reason why a case has no answer.
#[derive(Debug)]
enum CaseError {
    MissingPart,
    LogType,
    Filter(ParseErrors),
    Event(TextError),
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingPart => {
                f.write_str("a case is a log type, a filter and an event, TABs between")
            }
            Self::LogType => f.write_str("the log type is not a number from 0 to 5"),
            Self::Filter(error) => write!(f, "{error}"),
            Self::Event(error) => write!(f, "event: {error}"),
        }
    }
}
