//! Settings of the transport `http-post`.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

/// Settings of the transport `http-post`.
///
/// ```
/// use fantail_transport::{HttpSettings, HttpTransport};
///
/// let settings = HttpSettings {
///     gzip: true,
///     ..HttpSettings::new("https://logs.example.org/in", "application/x-ndjson")
/// };
/// assert_eq!(settings.content_type, "application/x-ndjson");
/// # #[cfg(feature = "http")]
/// let transport = HttpTransport::new(settings);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// `http://…` or `https://…`
    pub url: String,
    /// Time limit of a request, from connecting to the end of the response;
    /// `None` for no limit. Dovecot's default is 250 ms.
    pub timeout: Option<Duration>,
    /// Media type of one payload.
    pub content_type: String,
    /// Payloads of a request.
    pub batch: HttpBatch,
    /// Maximum number of payloads in a request with several.
    pub batch_payloads: NonZeroUsize,
    /// Maximum bytes of payloads in a request. A larger payload has a request of
    /// its own.
    pub batch_bytes: usize,
    /// Shortest time between requests that are not full, by default 0.
    pub batch_linger: Duration,
    /// Whether bodies are compressed with gzip.
    pub gzip: bool,
    /// File with a token for `Authorization: Bearer`, read again every 5 seconds
    /// and after each error.
    pub token_file: Option<PathBuf>,
    /// File with more headers, one `Name: value` per line, read again likewise.
    pub headers_file: Option<PathBuf>,
    /// File of trusted root certificates in PEM, instead of those of the system.
    pub ca_file: Option<PathBuf>,
}

impl HttpSettings {
    /// Returns Dovecot's defaults: one payload per request, at most 250 ms.
    pub fn new(url: impl Into<String>, content_type: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Some(Duration::from_millis(250)),
            content_type: content_type.into(),
            batch: HttpBatch::Single,
            batch_payloads: NonZeroUsize::MIN.saturating_add(499),
            batch_bytes: 1 << 20,
            batch_linger: Duration::ZERO,
            gzip: false,
            token_file: None,
            headers_file: None,
            ca_file: None,
        }
    }
}

/// Payloads of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpBatch {
    /// One payload.
    #[default]
    Single,
    /// Several payloads as lines: NDJSON, if they are JSON.
    Lines,
    /// Several JSON payloads as an array.
    Array,
    /// Several log records as a request of OTLP/HTTP with JSON.
    Otlp,
}
