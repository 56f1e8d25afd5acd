//! One exporter, back to text.

use std::os::unix::ffi::OsStrExt as _;

use fantail_event::Dialect;
use fantail_format::TimeStyle;

use super::Block;
use crate::{
    exporter_settings::{Exporter, TransportSettings},
    own_setting::OwnValue,
    size,
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
        for setting in exporter.own_settings() {
            if !setting.is_default {
                self.own(setting.name, &setting.value);
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
            TransportSettings::HttpPost(http) => {
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
            TransportSettings::Log
            | TransportSettings::Drop
            | TransportSettings::Syslog(_)
            | TransportSettings::Journal(_) => {}
        }
    }

    /// Writes a setting that only fantail knows.
    fn own(&mut self, key: &str, value: &OwnValue) {
        let text = match value {
            OwnValue::ContentsOf(file) => return self.file_value(key, file),
            // A timeout that never strikes.
            OwnValue::None => b"0".to_vec(),
            OwnValue::Switch(on) => if *on { "yes" } else { "no" }.into(),
            OwnValue::Number(number) => number.to_string().into_bytes(),
            OwnValue::Size(bytes) => size::write(*bytes).into_bytes(),
            OwnValue::Interval(interval) => format!("{} ms", interval.as_millis()).into_bytes(),
            OwnValue::Word(word) => word.as_bytes().to_vec(),
            OwnValue::Text(text) => text.clone(),
            OwnValue::List(words) => words.join(&b' '),
        };
        self.set(key, &text);
    }
}
