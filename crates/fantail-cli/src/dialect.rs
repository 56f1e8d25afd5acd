//! The dialect of a command: the rules of Dovecot 2.3 or of 2.4, or of a release.
//!
//! Every command takes `--dialect` first, then the configuration, the capture, and
//! the configuration of this machine; 2.4 is the default. A dialect that was
//! recognised without a configuration is reported.

use std::fmt;

use clap::{Args, ValueEnum};
use fantail::{
    config::{LoadOptions, Release, Target},
    event,
    filter::{Filter, Warning},
    syntax::ParseOptions,
};

use crate::{
    exit::say,
    io::{capture::Recording, configuration},
};

/// A Dovecot series as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Dialect {
    /// The rules of Dovecot 2.3.
    #[value(name = "2.3")]
    V2_3,
    /// The rules of Dovecot 2.4.
    #[value(name = "2.4")]
    V2_4,
}

impl From<Dialect> for event::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V2_3 => Self::V2_3,
            Dialect::V2_4 => Self::V2_4,
        }
    }
}

/// The rules for a configuration: those of a series, or of a release.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Rules {
    /// Dovecot series whose rules apply; default: that of the configuration.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Dovecot release that reads the configuration, such as 2.3.19. Default: the release
    /// in dovecot_config_version, a setting that 2.3 does not have.
    #[arg(long, value_name = "RELEASE", value_parser = release, conflicts_with = "dialect")]
    dovecot: Option<Release>,
}

impl Rules {
    /// Returns the options for loading a configuration.
    pub(crate) fn options(self) -> LoadOptions {
        LoadOptions {
            dialect: self.dialect.map(Into::into),
            release: self.dovecot,
            ..LoadOptions::default()
        }
    }

    /// Returns the release, if the flags state one.
    pub(crate) const fn release(self) -> Option<Release> {
        self.dovecot
    }

    /// Returns the series, if the flags state one.
    pub(crate) fn dialect(self) -> Option<event::Dialect> {
        let stated = self.dialect.map(Into::into);
        stated.or_else(|| self.dovecot.and_then(Release::dialect))
    }
}

/// A series of Dovecot or one of its releases: `2.4` or `2.4.1`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edition {
    pub(crate) dialect: event::Dialect,
    pub(crate) release: Option<Release>,
}

/// Parses a series or a release.
pub(crate) fn edition(text: &str) -> Result<Edition, ReleaseError> {
    let (dialect, release) = match text {
        "2.3" => (event::Dialect::V2_3, None),
        "2.4" => (event::Dialect::V2_4, None),
        _ => {
            let release = release(text)?;
            (release.dialect().ok_or(ReleaseError)?, Some(release))
        }
    };
    Ok(Edition { dialect, release })
}

/// Returns the dialect of a filter for the events of a capture.
pub(crate) fn of_capture(
    flag: Option<Dialect>,
    filter: &str,
    recording: &Recording,
) -> event::Dialect {
    match (flag, recording.evidence()) {
        (None, Some(evidence)) => {
            let (name, field) = (recording.path().display(), evidence.field);
            let reason = format!("events of {name} have the field `{field}`");
            recognised(evidence.dialect, &reason, filter)
        }
        _ => of_filter(flag, filter),
    }
}

/// Returns the dialect of a filter without a configuration or a capture.
pub(crate) fn of_filter(flag: Option<Dialect>, filter: &str) -> event::Dialect {
    if let Some(dialect) = flag {
        return dialect.into();
    }
    match configuration::of_this_machine() {
        Some((path, settings)) => {
            let reason = format!("so is {}", path.display());
            recognised(settings.dialect, &reason, filter)
        }
        None => {
            let reason = "`--dialect 2.3` reads it as the older release does";
            recognised(event::Dialect::V2_4, reason, filter)
        }
    }
}

/// Reports the recognised dialect, if the filter has another meaning in the other one.
fn recognised(dialect: event::Dialect, reason: &str, filter: &str) -> event::Dialect {
    if differs(filter.as_bytes()) {
        say(format_args!(
            "note: the filter is read as one of Dovecot {dialect}: {reason}"
        ));
    }
    dialect
}

/// Returns whether a filter has different meanings in the two dialects.
fn differs(filter: &[u8]) -> bool {
    let [old, new] = [event::Dialect::V2_3, event::Dialect::V2_4]
        .map(|dialect| Filter::parse(filter, &ParseOptions::new(dialect)));
    match (old, new) {
        (Ok(old), Ok(new)) => {
            let told = |filter: &Filter| {
                let warnings = filter.warnings();
                let codes = warnings.iter().map(Warning::code).collect::<Vec<_>>();
                (filter.canonical().to_vec(), codes)
            };
            told(&old) != told(&new)
        }
        (Err(_), Err(_)) => false,
        _ => true,
    }
}

/// Parses a release of a known series, such as `2.3.19`.
pub(crate) fn release(text: &str) -> Result<Release, ReleaseError> {
    let release = Release::parse(text).filter(|release| target_of(*release).is_some());
    release.ok_or(ReleaseError)
}

/// Returns the target of a release; `None` if its series is unknown.
pub(crate) fn target_of(release: Release) -> Option<Target> {
    let dialect = release.dialect()?;
    Some(Target::new(dialect, Some(release)))
}

/// The error for a text that is not a release of a known series.
#[derive(Debug)]
pub(crate) struct ReleaseError;

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a release of Dovecot 2.3 or 2.4, such as 2.3.19")
    }
}

impl std::error::Error for ReleaseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_matters_where_units_or_wildcards_do() {
        assert!(differs(b"event=x AND bytes_out>1k"));
        assert!(differs(b"duration>10ms"));
        assert!(!differs(b"event=imap_command_finished AND cmd_name=SELECT"));
        assert!(!differs(b"event=("));
    }
}
