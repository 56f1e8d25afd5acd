//! Dovecot's log settings, which apply to exporters with the transport `log`.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use fantail_transport::{Facility, LogSettings, LogTarget};

use crate::settings::exporter::{Exporter, TransportSettings};

/// Dovecot's log settings.
#[derive(Debug, Default)]
pub(crate) struct DovecotLog {
    path: Vec<u8>,
    info_path: Vec<u8>,
    settings: LogSettings,
}

impl DovecotLog {
    /// Stores a setting outside of all blocks; ignores other settings. Dovecot
    /// itself reports invalid values.
    pub(crate) fn setting(&mut self, key: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match key {
            b"log_path" => self.path = value.to_vec(),
            b"info_log_path" => self.info_path = value.to_vec(),
            b"log_timestamp" => self.settings.timestamp = text(),
            b"instance_name" => self.settings.program = text(),
            b"syslog_facility" => {
                if let Some(facility) = Facility::from_name(&text()) {
                    self.settings.facility = facility;
                }
            }
            _ => {}
        }
    }

    /// Sets the log settings of exporters with the transport `log`.
    pub(crate) fn fill(&self, exporters: &mut [Exporter]) {
        // Exported events are informational messages.
        let path = match self.info_path.is_empty() {
            true => &self.path,
            false => &self.info_path,
        };
        let target = match path.as_slice() {
            b"" | b"syslog" => LogTarget::Syslog,
            b"/dev/stderr" => LogTarget::StandardError,
            path => LogTarget::File(OsStr::from_bytes(path).into()),
        };
        let settings = LogSettings {
            target,
            ..self.settings.clone()
        };
        for exporter in exporters {
            if let TransportSettings::Log(log) = &mut exporter.transport {
                log.clone_from(&settings);
            }
        }
    }
}
