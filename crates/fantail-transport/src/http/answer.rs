//! What an answer means.
//!
//! 2xx: the payloads arrived. 408, 429 and 5xx: the server has trouble, and
//! says perhaps for how long. 401, 403 and 407: it does not know us, for
//! which the payloads are not to blame; a new token may help, so they wait for
//! it. 3xx: it has moved, and only the configuration can follow; they wait for
//! that, too. Other 4xx: it will never take these payloads; with 400, 413 and
//! 422 perhaps some of them.
//!
//! Whoever can mend it reads only the message: it says what to mend.

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

/// Turns a status that is no success into a failure. `credentials` says
/// whether the request had any.
pub(super) fn check(
    status: u16,
    credentials: bool,
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
    let remedy = remedy(status, credentials);
    let message = io::Error::other(format!("status {status}{remedy}"));
    let kind = match retry {
        Retry::Never => TransportErrorKind::Refused,
        _ => TransportErrorKind::Answer,
    };
    Err(Failure {
        error: TransportError::new(kind, message).with_retry(retry),
        by_payload: matches!(status, 400 | 413 | 422),
    })
}

/// What an administrator can do about a status that time alone does not mend.
const fn remedy(status: u16, credentials: bool) -> &'static str {
    match (status, credentials) {
        (401, true) => {
            ": it refuses our credentials; events wait until it takes them, or others \
             (`http_token_file`, `http_headers_file`)"
        }
        (401, false) => {
            ": it asks for credentials, and there are none; events wait until \
             `http_token_file` or `http_headers_file` is set"
        }
        (403, true) => {
            ": it does not allow us to post here with these credentials; events wait until it does"
        }
        (403, false) => {
            ": it does not allow us to post here without credentials; events wait until it does, \
             or `http_token_file` or `http_headers_file` is set"
        }
        (407, _) => {
            ": a proxy before it asks for credentials, which are not sent to proxies; events wait \
             until it lets us through"
        }
        (300..=399, _) => ": it sends us elsewhere; events wait until its URL is mended",
        _ => "",
    }
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
        for credentials in [false, true] {
            let got = check(status, credentials, retry_after, now);
            let got = got.err().map(|failure| failure.error.retry());
            assert_eq!(got, expected, "{status}");
        }
    }

    #[track_caller]
    fn check_message(status: u16, credentials: bool, expected: &str) {
        let failure = check(status, credentials, None, UNIX_EPOCH).unwrap_err();
        assert_eq!(failure.error.to_string(), expected);
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

    /// Whoever reads the log learns what to mend, if there is something.
    #[test]
    fn messages() {
        let refused = "no good answer from the target: status 401: it refuses our credentials; \
                       events wait until it takes them, or others (`http_token_file`, \
                       `http_headers_file`)";
        check_message(401, true, refused);
        let asked = "no good answer from the target: status 401: it asks for credentials, and \
                     there are none; events wait until `http_token_file` or `http_headers_file` \
                     is set";
        check_message(401, false, asked);
        let moved = "no good answer from the target: status 308: it sends us elsewhere; events \
                     wait until its URL is mended";
        check_message(308, true, moved);
        check_message(503, true, "no good answer from the target: status 503");
        check_message(400, true, "the target refused it: status 400");
        for credentials in [false, true] {
            for status in 300..600 {
                let failure = check(status, credentials, None, UNIX_EPOCH).unwrap_err();
                let told = failure.error.to_string().contains("events wait");
                let ours = matches!(status, 300..=399 | 401 | 403 | 407);
                assert_eq!(told, ours, "{status}");
            }
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
