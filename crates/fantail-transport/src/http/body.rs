//! Bodies of requests.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::{HttpBatch, HttpSettings, otlp};
use crate::{Payloads, TransportError};

/// Writes bodies.
#[derive(Debug)]
pub(super) struct Body {
    batch: HttpBatch,
    gzip: bool,
    content_type: String,
    /// The beginning of a request of OTLP.
    start: Vec<u8>,
    plain: Vec<u8>,
}

/// A body with the values of its headers.
#[derive(Debug)]
pub(super) struct Written<'b> {
    pub(super) bytes: std::borrow::Cow<'b, [u8]>,
    pub(super) content_type: &'b str,
    pub(super) gzip: bool,
}

impl Body {
    /// Returns a writer of bodies; those of OTLP name the host.
    pub(super) fn new(settings: &HttpSettings, hostname: &[u8]) -> Self {
        let one = settings.content_type.as_str();
        let is_json = matches!(one, "application/json" | "application/x-ndjson");
        let content_type = match settings.batch {
            HttpBatch::Array | HttpBatch::Otlp => "application/json",
            HttpBatch::Lines if is_json => "application/x-ndjson",
            HttpBatch::Single | HttpBatch::Lines => one,
        };
        Self {
            batch: settings.batch,
            gzip: settings.gzip,
            content_type: content_type.to_owned(),
            start: match settings.batch {
                HttpBatch::Otlp => otlp::start(hostname),
                _ => Vec::new(),
            },
            plain: Vec::new(),
        }
    }

    /// Returns the payloads of each request, the last request first.
    pub(super) fn requests<'p>(&self, payloads: Payloads<'p>) -> Vec<Payloads<'p>> {
        if self.batch != HttpBatch::Single && !payloads.is_empty() {
            return vec![payloads];
        }
        let mut requests = Vec::with_capacity(payloads.len());
        let mut rest = payloads;
        while !rest.is_empty() {
            let (first, others) = rest.split_at(1);
            requests.push(first);
            rest = others;
        }
        requests.reverse();
        requests
    }

    /// Writes the body of one request.
    pub(super) fn write(&mut self, payloads: Payloads<'_>) -> Result<Written<'_>, TransportError> {
        self.plain.clear();
        let (before, between, after): (&[u8], &[u8], &[u8]) = match self.batch {
            HttpBatch::Single => (b"", b"", b""),
            HttpBatch::Lines => (b"", b"\n", b"\n"),
            HttpBatch::Array => (b"[", b",", b"]"),
            HttpBatch::Otlp => (&self.start, b",", otlp::END),
        };
        self.plain.extend_from_slice(before);
        for (at, payload) in payloads.iter().enumerate() {
            if at > 0 {
                self.plain.extend_from_slice(between);
            }
            self.plain.extend_from_slice(payload);
        }
        self.plain.extend_from_slice(after);
        let bytes = if self.gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let packed = encoder
                .write_all(&self.plain)
                .and_then(|()| encoder.finish());
            packed.map_err(TransportError::writing)?.into()
        } else {
            self.plain.as_slice().into()
        };
        Ok(Written {
            bytes,
            content_type: &self.content_type,
            gzip: self.gzip,
        })
    }
}
