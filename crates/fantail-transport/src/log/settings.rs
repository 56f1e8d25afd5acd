//! Settings of the transport `log`.

use std::path::PathBuf;

use crate::Facility;

/// Settings of the transport `log`: the target and the format of Dovecot's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Where Dovecot logs informational messages (`info_log_path`, `log_path`).
    pub target: LogTarget,
    /// Time before each line in files, in the format of `strftime`
    /// (`log_timestamp`).
    pub timestamp: String,
    /// Facility of syslog messages (`syslog_facility`).
    pub facility: Facility,
    /// Name of the program in syslog messages (`instance_name`).
    pub program: String,
}

impl LogSettings {
    /// Dovecot's default of `log_timestamp`.
    pub const DEFAULT_TIMESTAMP: &'static str = "%b %d %H:%M:%S ";
}

impl Default for LogSettings {
    /// Dovecot's defaults: syslog with the facility mail.
    fn default() -> Self {
        Self {
            target: LogTarget::Syslog,
            timestamp: Self::DEFAULT_TIMESTAMP.to_owned(),
            facility: Facility::Mail,
            program: "dovecot".to_owned(),
        }
    }
}

/// The target of Dovecot's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// The local syslog receiver.
    Syslog,
    /// Standard error.
    StandardError,
    /// A file.
    File(PathBuf),
}
