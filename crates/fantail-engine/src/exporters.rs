//! Transports and throttles of a configuration's exporters.
//!
//! ```no_run
//! use fantail_config::{LoadOptions, load_text};
//! use fantail_engine::exporters;
//! use fantail_transport::Queue;
//!
//! let text = "event_exporter audit {\n format = json\n transport = file\n\
//!             file_path = /var/log/audit.json\n}\n";
//! let settings = load_text("fantail.conf", text, &LoadOptions::default()).accept()?.settings;
//! for exporter in &settings.exporters {
//!     let name = String::from_utf8_lossy(&exporter.name);
//!     let transport = exporters::transport(exporter, b"mail1")?;
//!     let queue = Queue::builder(&*name, transport)
//!         .settings(exporter.queue.clone())
//!         .start()?;
//!     queue.close(std::time::Duration::from_secs(5));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    hash::{BuildHasher, RandomState},
    io,
};

use fantail_config::{Exporter, TransportSettings};
use fantail_transport::{
    DovecotLog, DropTransport, FileTransport, HttpTransport, JournalTransport, SyslogTransport,
    Throttle, ThrottleSettings, Transport, UnixTransport,
};

/// Returns the transport of an exporter. A queue opens the target on its own
/// thread.
///
/// # Errors
/// This version has no such transport.
pub fn transport(exporter: &Exporter, hostname: &[u8]) -> io::Result<Box<dyn Transport>> {
    let messages = exporter.messages;
    Ok(match &exporter.transport {
        TransportSettings::Log(settings) => Box::new(DovecotLog::new(settings.clone(), messages)),
        TransportSettings::Drop => Box::new(DropTransport),
        TransportSettings::File(settings) => Box::new(FileTransport::new(settings.clone())),
        TransportSettings::Unix(settings) => Box::new(UnixTransport::new(settings.clone())),
        TransportSettings::HttpPost(settings) => Box::new(HttpTransport::new(settings.clone())),
        TransportSettings::Otlp(settings) => {
            Box::new(HttpTransport::of_host(settings.clone(), hostname))
        }
        TransportSettings::Syslog(settings) => {
            let settings = settings.clone();
            Box::new(SyslogTransport::with_messages(settings, hostname, messages))
        }
        TransportSettings::Journal(settings) => Box::new(JournalTransport::new(settings.clone())),
        TransportSettings::Nats(_) => {
            let what = "`nats` needs `fantail serve`, built with the feature `nats`";
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    })
}

/// Returns the throttle of an exporter with a random seed; `None` if it admits
/// all events.
///
/// ```
/// use fantail_engine::exporters::throttle;
/// use fantail_transport::ThrottleSettings;
///
/// let all = ThrottleSettings::default();
/// assert!(throttle(all).is_none());
/// let some = ThrottleSettings { rate: std::num::NonZeroU32::new(10), ..all };
/// assert!(throttle(some).is_some());
/// ```
#[must_use]
pub fn throttle(settings: ThrottleSettings) -> Option<Throttle> {
    (!settings.admits_all()).then(|| Throttle::new(settings, RandomState::new().hash_one(0)))
}

#[cfg(test)]
mod tests {
    use fantail_config::{LoadOptions, load_text};

    use super::transport;

    #[test]
    fn a_stream_needs_the_feature_of_the_server() {
        let text = "event_exporter audit {\n format = json\n format_args = time-unix\n \
                    transport = nats\n nats_url = nats://localhost\n}\n";
        let loaded = load_text("x", text, &LoadOptions::default());
        let error = transport(&loaded.settings.exporters[0], b"mail1")
            .err()
            .unwrap();
        assert!(error.to_string().contains("the feature `nats`"), "{error}");
    }
}
