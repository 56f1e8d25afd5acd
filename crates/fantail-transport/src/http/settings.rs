//! Where requests go, and how they are made.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

/// An HTTP server to post to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// `http://…` or `https://…`
    pub url: String,
    /// How long a request may take, from connecting to the end of the
    /// answer; `None` for any time. Dovecot's default is 250 ms.
    pub timeout: Option<Duration>,
    /// The media type of one payload.
    pub content_type: String,
    /// How payloads share requests.
    pub batch: HttpBatch,
    /// Payloads in one request at most, if they share any.
    pub batch_payloads: NonZeroUsize,
    /// Bytes of payloads in one request at most; a single larger one is sent
    /// all the same.
    pub batch_bytes: usize,
    /// Requests that are not full follow each other no faster than this, so
    /// that more payloads share one; 0 by default.
    pub batch_linger: Duration,
    /// Whether bodies are compressed with gzip.
    pub gzip: bool,
    /// A file with a token for `Authorization: Bearer`; read again every few
    /// seconds, and after each error.
    pub token_file: Option<PathBuf>,
    /// A file with more headers, a `Name: value` a line; read alike.
    pub headers_file: Option<PathBuf>,
    /// Certificates in PEM that the server's has to be signed by, instead of
    /// those that the system trusts.
    pub ca_file: Option<PathBuf>,
}

impl HttpSettings {
    /// Requests as Dovecot makes them: one payload each, at most 250 ms.
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

/// How payloads share requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpBatch {
    /// Each has its own.
    #[default]
    Single,
    /// A line for each: NDJSON, if they are JSON.
    Lines,
    /// A JSON array; payloads have to be JSON.
    Array,
}
