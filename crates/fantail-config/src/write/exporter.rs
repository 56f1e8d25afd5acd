//! Writing an exporter.

use std::os::unix::ffi::OsStrExt as _;

use fantail_event::Dialect;
use fantail_format::TimeStyle;

use super::Block;
use crate::{
    resolve::size,
    settings::exporter::{Exporter, TransportSettings},
    settings::extension_value::ExtensionValue,
};

impl Block<'_> {
    /// Writes one `event_exporter`.
    pub(super) fn exporter(&mut self, exporter: &Exporter, dialect: Dialect) {
        self.open(b"event_exporter", &exporter.name);
        self.set("format", exporter.format.name().as_bytes());
        match (dialect, exporter.time_style) {
            (Dialect::V2_3, TimeStyle::Rfc3339) => self.set("format_args", b"time-rfc3339"),
            (Dialect::V2_3, TimeStyle::Unix) => self.set("format_args", b"time-unix"),
            (Dialect::V2_4, TimeStyle::Rfc3339) => {}
            (Dialect::V2_4, TimeStyle::Unix) => self.set("time_format", b"unix"),
        }
        self.transport(&exporter.transport, dialect);
        for setting in exporter.extension_settings() {
            if !setting.is_default {
                self.extension(setting.name, &setting.value);
            }
        }
        self.close();
    }

    fn transport(&mut self, transport: &TransportSettings, dialect: Dialect) {
        let key = match dialect {
            Dialect::V2_3 => "transport",
            Dialect::V2_4 => "driver",
        };
        self.set(key, transport.name().as_bytes());
        match transport {
            TransportSettings::HttpPost(http) | TransportSettings::Otlp(http) => {
                let (url_key, timeout_key) = match dialect {
                    Dialect::V2_3 => ("transport_args", "transport_timeout"),
                    Dialect::V2_4 => ("http_post_url", "http_client_request_absolute_timeout"),
                };
                self.set(url_key, http.url.as_bytes());
                self.timeout(timeout_key, http.timeout);
            }
            TransportSettings::File(file) => {
                self.set("file_path", file.path.as_os_str().as_bytes());
            }
            TransportSettings::Unix(unix) => {
                self.set("unix_path", unix.path.as_os_str().as_bytes());
                self.timeout("unix_connect_timeout", unix.connect_timeout);
            }
            TransportSettings::Log(_)
            | TransportSettings::Drop
            | TransportSettings::Syslog(_)
            | TransportSettings::Journal(_)
            | TransportSettings::Nats(_) => {}
        }
    }

    /// Writes an extension setting.
    fn extension(&mut self, key: &str, value: &ExtensionValue) {
        let text = match value {
            ExtensionValue::ContentsOf(file) => return self.file_value(key, file),
            // An unlimited timeout.
            ExtensionValue::None => b"0".to_vec(),
            ExtensionValue::Switch(on) => if *on { "yes" } else { "no" }.into(),
            ExtensionValue::Number(number) => number.to_string().into_bytes(),
            ExtensionValue::Size(bytes) => size::write(*bytes).into_bytes(),
            ExtensionValue::Interval(interval) => {
                format!("{} ms", interval.as_millis()).into_bytes()
            }
            ExtensionValue::Word(word) => word.as_bytes().to_vec(),
            ExtensionValue::Text(text) => text.clone(),
            ExtensionValue::List(words) => words.join(&b' '),
        };
        self.set(key, &text);
    }
}
