//! Meaning of response statuses.
//!
//! 2xx: the payloads arrived. 408, 429 and 5xx: a temporary error, perhaps with
//! a delay. 401, 403 and 407: the credentials are refused; payloads wait for new
//! ones. 3xx: the URL has moved; payloads wait for a new configuration. Other
//! 4xx: the server refuses the payloads for good; with 400, 413 and 422 perhaps
//! only some of them.
//!
//! Error messages say what an administrator has to change.

use std::{
    io,
    time::{Duration, SystemTime},
};

use crate::{HttpBatch, Retry, TransportError, TransportErrorKind};

/// A request without success.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: TransportError,
    /// Whether the server may accept some of the payloads alone.
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

/// The rules for repeating a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// Any error of the server is temporary.
    Usual,
    /// Of the errors of the server, only 502, 503 and 504 are temporary.
    Otlp,
    /// Only 429 and the errors of the server are temporary, as remote write of Prometheus
    /// says. Payloads do not wait for credentials.
    RemoteWrite,
    /// Only 429, 502, 503 and 504 are temporary. Payloads do not wait for credentials.
    OtlpMetrics,
}

impl Retries {
    pub(super) const fn of(batch: HttpBatch) -> Self {
        match batch {
            HttpBatch::Otlp => Self::Otlp,
            HttpBatch::Single | HttpBatch::Lines | HttpBatch::Array => Self::Usual,
        }
    }

    /// Returns whether payloads wait until an administrator has changed something.
    const fn waits(self) -> bool {
        matches!(self, Self::Usual | Self::Otlp)
    }
}

/// Returns an error for a status other than success. `credentials` says whether
/// the request had any.
pub(super) fn check(
    status: u16,
    (credentials, retries): (bool, Retries),
    retry_after: Option<&str>,
    now: SystemTime,
) -> Result<(), Failure> {
    let asked = retry_after.and_then(|text| wait(text, now));
    let later = asked.map_or(Retry::Backoff, Retry::After);
    let retry = match status {
        200..300 => return Ok(()),
        429 | 502..=504 => later,
        ..500 if !retries.waits() => Retry::Never,
        401 | 403 | 407 => Retry::Backoff,
        408 => later,
        400..500 => Retry::Never,
        500.. if matches!(retries, Retries::Otlp | Retries::OtlpMetrics) => Retry::Never,
        _ => later,
    };
    let remedy = match retries.waits() {
        true => remedy(status, credentials),
        false => "",
    };
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

/// Returns advice for a status that needs a change by an administrator.
const fn remedy(status: u16, credentials: bool) -> &'static str {
    match (status, credentials) {
        (401, true) => {
            ": the server refuses the credentials; events wait for new ones in \
             `http_token_file` or `http_headers_file`"
        }
        (401, false) => {
            ": the server asks for credentials, and none are configured; events wait until \
             `http_token_file` or `http_headers_file` is set"
        }
        (403, true) => {
            ": the server does not allow posts with these credentials; events wait until it does"
        }
        (403, false) => {
            ": the server does not allow posts without credentials; events wait until it does, \
             or `http_token_file` or `http_headers_file` is set"
        }
        (407, _) => {
            ": a proxy asks for credentials, which are not sent to proxies; events wait until \
             it accepts requests"
        }
        (300..=399, _) => {
            ": the server redirects to another URL; events wait until the URL is changed"
        }
        _ => "",
    }
}

/// Parses `Retry-After`: seconds or a date.
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
            let got = check(status, (credentials, Retries::Usual), retry_after, now);
            let got = got.err().map(|failure| failure.error.retry());
            assert_eq!(got, expected, "{status}");
        }
    }

    #[track_caller]
    fn check_message(status: u16, credentials: bool, expected: &str) {
        let rules = (credentials, Retries::Usual);
        let failure = check(status, rules, None, UNIX_EPOCH).unwrap_err();
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

    /// OTLP names the statuses that may be repeated. Credentials that are refused wait for
    /// new ones nevertheless.
    #[test]
    fn statuses_of_otlp() {
        let check = |status, expected| {
            let got = check(status, (false, Retries::Otlp), None, UNIX_EPOCH);
            let got = got.err().map(|failure| failure.error.retry());
            assert_eq!(got, Some(expected), "{status}");
        };
        for status in [429, 502, 503, 504, 401, 403] {
            check(status, Retry::Backoff);
        }
        for status in [400, 404, 413, 500, 501, 505, 599] {
            check(status, Retry::Never);
        }
    }

    /// Metrics are not sent again with an error of the client, but for 429.
    #[test]
    fn statuses_of_pushes() {
        let check = |retries, status, expected| {
            let got = check(status, (true, retries), Some("7"), UNIX_EPOCH);
            let got = got.err().map(|failure| failure.error.retry());
            assert_eq!(got, Some(expected), "{retries:?} {status}");
        };
        let later = Retry::After(Duration::from_secs(7));
        for retries in [Retries::RemoteWrite, Retries::OtlpMetrics] {
            for status in [429, 502, 503, 504] {
                check(retries, status, later);
            }
            for status in [301, 400, 401, 403, 404, 407, 408, 413, 422] {
                check(retries, status, Retry::Never);
            }
        }
        for status in [500, 501, 599] {
            check(Retries::RemoteWrite, status, later);
            check(Retries::OtlpMetrics, status, Retry::Never);
        }
    }

    /// Messages say what an administrator has to change.
    #[test]
    fn messages() {
        let refused = "unexpected response from the target: status 401: the server refuses the \
                       credentials; events wait for new ones in `http_token_file` or \
                       `http_headers_file`";
        check_message(401, true, refused);
        let asked = "unexpected response from the target: status 401: the server asks for \
                     credentials, and none are configured; events wait until \
                     `http_token_file` or `http_headers_file` is set";
        check_message(401, false, asked);
        let moved = "unexpected response from the target: status 308: the server redirects to \
                     another URL; events wait until the URL is changed";
        check_message(308, true, moved);
        check_message(503, true, "unexpected response from the target: status 503");
        check_message(400, true, "the target refused it: status 400");
        for credentials in [false, true] {
            for status in 300..600 {
                let rules = (credentials, Retries::Usual);
                let failure = check(status, rules, None, UNIX_EPOCH).unwrap_err();
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
