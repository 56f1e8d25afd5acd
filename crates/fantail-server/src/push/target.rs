//! The target of pushes: requests, and further attempts.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Write as _},
    time::{Duration, Instant},
};

use fantail_transport::{
    HttpSettings, Retry, TransportError,
    internal::{HttpPoster, Retries},
};
use flate2::{Compression, write::GzEncoder};

use super::{PushOptions, PushProtocol, otlp, waiting::Waiting};
use crate::{
    Log,
    push_counters::{PushCounters, add},
};

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The first delay after a failure, which doubles with each further one, and the longest.
const FIRST_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// The longest `Retry-After` that is respected.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A body that is not sent: the target has not accepted it in time, or the server ends.
#[derive(Debug)]
pub(super) struct GivenUp;

#[derive(Debug)]
pub(super) struct Target {
    poster: HttpPoster,
    protocol: PushProtocol,
    /// The time that the target asked for with `Retry-After`.
    not_before: Option<Instant>,
    /// Whether the log has been told that pushes fail.
    has_failed: bool,
    log: Log,
}

impl Target {
    pub(super) fn new(options: &PushOptions, log: Log) -> Self {
        let (content_type, retries) = match options.protocol {
            PushProtocol::RemoteWrite => ("application/x-protobuf", Retries::RemoteWrite),
            PushProtocol::Otlp => ("application/json", Retries::OtlpMetrics),
        };
        let settings = HttpSettings {
            timeout: Some(REQUEST_TIMEOUT),
            token_file: options.token.clone(),
            headers_file: options.headers.clone(),
            ca_file: options.authorities.clone(),
            ..HttpSettings::new(options.url.clone(), content_type)
        };
        Self {
            poster: HttpPoster::new(settings, retries),
            protocol: options.protocol,
            not_before: None,
            has_failed: false,
            log,
        }
    }

    /// Returns a time, or a later one if the target asked for it.
    pub(super) fn not_before(&self, time: Instant) -> Instant {
        self.not_before.map_or(time, |asked| asked.max(time))
    }

    /// Sends a body, and repeats failed attempts until a time or the end of the server.
    /// Returns whether the target accepted the whole body.
    pub(super) fn send(
        &mut self,
        (body, samples): (&[u8], usize),
        counters: &PushCounters,
        waiting: &mut Waiting,
        until: Instant,
    ) -> Result<bool, GivenUp> {
        let (body, encoding) = self.pack(body).map_err(|_| GivenUp)?;
        let mut delay = FIRST_DELAY;
        let mut is_first = true;
        loop {
            if let Some(time) = self.not_before {
                if time >= until || !waiting.wait_until(time) {
                    return Err(GivenUp);
                }
                self.not_before = None;
            }
            let error = match self.poster.post(&body, Some(encoding)) {
                Ok(answer) => return Ok(self.accepted(&answer, samples, counters)),
                Err(error) => error,
            };
            self.note_failure(&error);
            let wait = match error.retry() {
                Retry::Never => {
                    add(&counters.refused, 1);
                    add(&counters.refused_samples, samples);
                    return Ok(false);
                }
                Retry::After(wait) => {
                    // Later snapshots wait, too.
                    let wait = wait.min(MAX_RETRY_AFTER);
                    self.not_before = Some(Instant::now() + wait);
                    wait
                }
                Retry::Now if is_first => Duration::ZERO,
                Retry::Now | Retry::Backoff => {
                    let wait = part_of(delay);
                    delay = (2 * delay).min(MAX_DELAY);
                    wait
                }
            };
            add(&counters.failed, 1);
            is_first = false;
            let next = Instant::now() + wait;
            if next >= until || !waiting.wait_until(next) {
                return Err(GivenUp);
            }
        }
    }

    fn pack(&self, body: &[u8]) -> io::Result<(Vec<u8>, &'static str)> {
        match self.protocol {
            PushProtocol::RemoteWrite => {
                let packed = snap::raw::Encoder::new().compress_vec(body);
                Ok((packed.map_err(io::Error::other)?, "snappy"))
            }
            PushProtocol::Otlp => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body)?;
                Ok((encoder.finish()?, "gzip"))
            }
        }
    }

    /// Counts an accepted request; returns whether all of it was accepted.
    fn accepted(&mut self, answer: &[u8], samples: usize, counters: &PushCounters) -> bool {
        add(&counters.accepted, 1);
        let partial = match self.protocol {
            PushProtocol::Otlp => otlp::refused(answer),
            PushProtocol::RemoteWrite => None,
        };
        let refused = partial.as_ref().map_or(0, |(count, _)| samples.min(*count));
        add(&counters.sent_samples, samples - refused);
        add(&counters.refused_samples, refused);
        match partial {
            Some((count, reason)) => self.note(format_args!(
                "the target of pushes refuses {count} of {samples} points: {reason}"
            )),
            None if std::mem::take(&mut self.has_failed) => {
                self.log.say(format_args!("metrics are pushed again"));
            }
            None => {}
        }
        refused == 0
    }

    fn note_failure(&mut self, error: &TransportError) {
        self.note(format_args!("metrics are not pushed: {error}"));
    }

    /// Logs the first failure after a success.
    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        if !std::mem::replace(&mut self.has_failed, true) {
            self.log.say(what);
        }
    }
}

/// Returns a random time of at least half of this one.
pub(super) fn part_of(time: Duration) -> Duration {
    // The standard library seeds each hasher at random.
    let random = RandomState::new().build_hasher().finish() % 1_000;
    let part = u32::try_from(random).unwrap_or(0);
    time / 2 + time / 2 * part / 1_000
}
