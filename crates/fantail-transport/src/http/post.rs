//! The transport `http-post`.

use std::{
    thread,
    time::{Duration, Instant},
};

use ureq::unversioned::transport::Connector;

use crate::{
    BatchLimits, Delivery, HttpBatch, HttpSettings, Payloads, Retry, Transport, TransportError,
};

use super::{
    answer::{Failure, Retries},
    body::Body,
    client::{Client, Request},
    credentials::Credentials,
    otlp,
};

/// Posts payloads to a URL.
///
/// A status of 200 to 299 confirms payloads. Payloads whose request was cut off
/// or not answered in time are sent again and may arrive twice.
#[derive(Debug)]
pub struct HttpTransport {
    settings: HttpSettings,
    /// `None` until the certificates are read.
    client: Option<Client>,
    body: Body,
    credentials: Credentials,
    limits: BatchLimits,
    linger: Duration,
    /// Time of the last request.
    last: Option<Instant>,
}

impl HttpTransport {
    /// Returns a transport that reads the file of certificates with
    /// [`open_target`](Transport::open_target) or its first payload, and connects
    /// with its first payload.
    #[must_use]
    pub fn new(settings: HttpSettings) -> Self {
        Self::of_host(settings, b"")
    }

    /// Returns a transport like [`new`](Self::new) that names this host in requests of
    /// [OTLP](HttpBatch::Otlp).
    #[must_use]
    pub fn of_host(settings: HttpSettings, hostname: &[u8]) -> Self {
        Self {
            client: None,
            linger: match settings.batch {
                HttpBatch::Single => Duration::ZERO,
                HttpBatch::Lines | HttpBatch::Array | HttpBatch::Otlp => settings.batch_linger,
            },
            last: None,
            body: Body::new(&settings, hostname),
            limits: match settings.batch {
                HttpBatch::Single => BatchLimits::default(),
                HttpBatch::Lines | HttpBatch::Array | HttpBatch::Otlp => BatchLimits {
                    payloads: settings.batch_payloads.get(),
                    bytes: settings.batch_bytes,
                },
            },
            credentials: Credentials::new(
                settings.token_file.clone(),
                settings.headers_file.clone(),
            ),
            settings,
        }
    }

    /// Waits if the batch is not full and the last request was recent, so that
    /// the queue gathers more payloads for the next request.
    fn linger(&self, payloads: Payloads<'_>) {
        let full = payloads.len() >= self.limits.payloads || payloads.bytes() >= self.limits.bytes;
        if let Some(last) = self.last.filter(|_| !full) {
            thread::sleep(self.linger.saturating_sub(last.elapsed()));
        }
    }

    /// Returns the body of the response.
    fn post(&mut self, payloads: Payloads<'_>) -> Result<Vec<u8>, Failure> {
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::new(&self.settings)?),
        };
        let headers = self.credentials.headers()?;
        let body = self.body.write(payloads)?;
        let request = Request {
            body: &body.bytes,
            content_type: body.content_type,
            content_encoding: body.gzip.then_some("gzip"),
            retries: Retries::of(self.settings.batch),
        };
        let posted = client.post(&request, headers);
        self.last = Some(Instant::now());
        if posted.is_err() {
            // The token may be old.
            self.credentials.forget();
        }
        posted
    }
}

impl HttpTransport {
    /// Returns how many payloads of a request the target refused although it accepted
    /// the request.
    fn refused(&self, answer: &[u8], payloads: usize) -> Option<(usize, TransportError)> {
        let has_partial = self.settings.batch == HttpBatch::Otlp;
        has_partial
            .then(|| otlp::refused(answer, payloads))
            .flatten()
    }
}

/// Replaces the network of a transport by other connections.
///
/// # Errors
/// The file of certificates cannot be read.
pub fn connect_by(
    transport: &mut HttpTransport,
    connector: impl Connector,
) -> Result<(), TransportError> {
    transport.open_target()?;
    if let Some(client) = &mut transport.client {
        client.connect_by(connector);
    }
    Ok(())
}

impl Transport for HttpTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        let mut batch = crate::Batch::new();
        batch.push(payload);
        let answer = self.post(batch.payloads());
        let answer = answer.map_err(|failure| failure.error)?;
        match self.refused(&answer, 1) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn batch_limits(&self) -> BatchLimits {
        self.limits
    }

    /// The status of a response confirms payloads.
    fn confirms(&self) -> bool {
        true
    }

    /// Splits a batch that the server refuses for its contents, so that one bad
    /// payload does not lose the others.
    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        self.linger(payloads);
        let mut delivery = Delivery::new();
        let mut waiting = self.body.requests(payloads);
        while let Some(payloads) = waiting.pop() {
            match self.post(payloads) {
                Ok(answer) => match self.refused(&answer, payloads.len()) {
                    None => delivery.arrived(payloads.len()),
                    // The receiver does not say which.
                    Some((count, error)) => {
                        delivery.arrived(payloads.len() - count);
                        delivery.refused(count, error);
                    }
                },
                Err(Failure { error, .. }) if error.retry() != Retry::Never => {
                    delivery.stopped(error);
                    break;
                }
                Err(failure) if failure.by_payload && payloads.len() > 1 => {
                    let (first, second) = payloads.split_at(payloads.len() / 2);
                    waiting.push(second);
                    waiting.push(first);
                }
                Err(failure) => delivery.refused(payloads.len(), failure.error),
            }
        }
        delivery
    }

    fn open_target(&mut self) -> Result<(), TransportError> {
        if self.client.is_none() {
            self.client = Some(Client::new(&self.settings)?);
        }
        Ok(())
    }

    /// Reads the files of credentials again.
    fn reopen(&mut self) -> Result<(), TransportError> {
        self.credentials.forget();
        Ok(())
    }
}
