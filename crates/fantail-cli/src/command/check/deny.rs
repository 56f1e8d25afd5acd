//! `--deny`: findings that count as errors.

use fantail::{
    config::{self, Severity},
    lint::{self, Finding},
};

use crate::flag::FlagError;

/// Findings of a level and above, or of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deny {
    Level(Severity),
    Code(&'static str),
}

impl Deny {
    pub(super) fn names(self, finding: &Finding) -> bool {
        match self {
            Self::Level(level) => finding.severity >= level,
            Self::Code(code) => finding.code == code,
        }
    }
}

/// Parses a level or a code.
pub(super) fn parse(text: &str) -> Result<Deny, FlagError> {
    let levels = [Severity::Error, Severity::Warning, Severity::Hint];
    if let Some(level) = levels.into_iter().find(|level| level.as_str() == text) {
        return Ok(Deny::Level(level));
    }
    let config = config::Code::ALL.iter().map(|code| code.as_str());
    let lint = lint::LintCode::ALL.iter().map(|code| code.as_str());
    let mut codes = config.chain(lint);
    codes
        .clone()
        .find(|code| *code == text)
        .or_else(|| codes.find(|code| code.split_once('/').is_some_and(|(_, name)| name == text)))
        .map(Deny::Code)
        .ok_or(FlagError::expected(
            "error, warning, hint, or a code such as lint/unknown-event",
        ))
}
