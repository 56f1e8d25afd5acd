//! What an answer means.
//!
//! 2xx: the payloads arrived. 408, 429 and 5xx: the server has trouble, and
//! says perhaps for how long. 401, 403 and 407: it does not know us, for
//! which the payloads are not to blame; a new token may help. 3xx: it has
//! moved, and only the configuration can follow. Other 4xx: it will never
//! take these payloads; with 400, 413 and 422 perhaps some of them.

use std::{
    io,
    time::{Duration, SystemTime},
};

use crate::{Retry, TransportError, TransportErrorKind};

/// Why a request did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: TransportError,
    /// Whether one of the payloads may be to blame, and others be taken.
    pub(super) by_payload: bool,
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self {
            error,
            by_payload: false,
        }
    }
}

/// Turns a status that is no success into a failure.
pub(super) fn check(
    status: u16,
    retry_after: Option<&str>,
    now: SystemTime,
) -> Result<(), Failure> {
    let asked = retry_after.and_then(|text| wait(text, now));
    let later = asked.map_or(Retry::Backoff, Retry::After);
    let retry = match status {
        200..300 => return Ok(()),
        401 | 403 | 407 => Retry::Backoff,
        408 | 429 => later,
        400..500 => Retry::Never,
        _ => later,
    };
    let message = io::Error::other(format!("status {status}"));
    let kind = match retry {
        Retry::Never => TransportErrorKind::Refused,
        _ => TransportErrorKind::Answer,
    };
    Err(Failure {
        error: TransportError::new(kind, message).with_retry(retry),
        by_payload: matches!(status, 400 | 413 | 422),
    })
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[track_caller]
    fn check_status(status: u16, retry_after: Option<&str>, expected: Option<Retry>) {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_717);
        let got = check(status, retry_after, now);
        assert_eq!(
            got.err().map(|failure| failure.error.retry()),
            expected,
            "{status}"
        );
    }

    #[test]
    fn statuses() {
        for status in [200, 201, 202, 204, 299] {
            check_status(status, None, None);
        }
        for status in [
            408, 429, 500, 502, 503, 504, 599, 301, 302, 308, 401, 403, 407,
        ] {
            check_status(status, None, Some(Retry::Backoff));
        }
        for status in [400, 404, 405, 410, 413, 415, 422, 451] {
            check_status(status, None, Some(Retry::Never));
        }
    }

    /// The date is the example of RFC 9110, 20 seconds on.
    #[test]
    fn retry_after() {
        let seconds = |seconds| Some(Retry::After(Duration::from_secs(seconds)));
        for status in [408, 429, 503] {
            check_status(status, Some("7"), seconds(7));
            check_status(status, Some("Sun, 06 Nov 1994 08:49:37 GMT"), seconds(60));
            check_status(status, Some("Sun, 06 Nov 1994 08:48:00 GMT"), seconds(0));
            check_status(status, Some("soon"), Some(Retry::Backoff));
            check_status(status, Some("-1"), Some(Retry::Backoff));
        }
        check_status(400, Some("7"), Some(Retry::Never));
    }
}
