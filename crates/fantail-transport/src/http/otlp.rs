//! Requests of OTLP/HTTP with JSON: the frame around log records, and the answers.
//!
//! A receiver may accept a request and refuse some of its records (*partial success*). It
//! does not say which, and they must not be sent again.

use std::io;

use crate::{Retry, TransportError, TransportErrorKind};

/// The end of a request.
pub(super) const END: &[u8] = b"]}]}]}";

/// The longest reason of a receiver that is shown.
const MAX_REASON_BYTES: usize = 200;

/// Returns the beginning of a request, up to its first log record.
pub(super) fn start(hostname: &[u8]) -> Vec<u8> {
    let mut start = br#"{"resourceLogs":[{"resource":{"attributes":["#.to_vec();
    start.extend_from_slice(br#"{"key":"service.name","value":{"stringValue":"dovecot"}},"#);
    start.extend_from_slice(br#"{"key":"host.name","value":{"stringValue":""#);
    for character in String::from_utf8_lossy(hostname).chars() {
        match character {
            '"' | '\\' => start.extend_from_slice(&[b'\\', character as u8]),
            control if control.is_control() => {}
            other => start.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    start.extend_from_slice(br#""}}]},"scopeLogs":[{"scope":{"name":"fantail","version":""#);
    start.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
    start.extend_from_slice(br#""},"logRecords":["#);
    start
}

/// Returns how many of these records the receiver refused, and why; `None` if none.
pub(super) fn refused(answer: &[u8], records: usize) -> Option<(usize, TransportError)> {
    let text = String::from_utf8_lossy(answer);
    let number = after(&text, "\"rejectedLogRecords\"")?;
    // An integer of 64 bits is a string; some write a number.
    let digits = number.strip_prefix('"').unwrap_or(number);
    let end = digits.find(|one: char| !one.is_ascii_digit());
    let (digits, _) = digits.split_at(end.unwrap_or(digits.len()));
    let rejected = digits.parse().unwrap_or(0);
    if rejected == 0 {
        return None;
    }
    let reason = after(&text, "\"errorMessage\"").and_then(|text| text.strip_prefix('"'));
    let reason = reason.and_then(|text| text.split('"').next());
    let reason: String = reason
        .unwrap_or("without a reason")
        .chars()
        .filter(|one| !one.is_control())
        .take(MAX_REASON_BYTES)
        .collect();
    let what = format!("{rejected} of {records} log records: {reason}");
    let error = TransportError::new(TransportErrorKind::Refused, io::Error::other(what));
    Some((rejected.min(records), error.with_retry(Retry::Never)))
}

/// Returns the text of the value of a key.
fn after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(key)?;
    rest.trim_start().strip_prefix(':').map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::{END, refused, start};

    #[track_caller]
    fn check(answer: &str, expected: Option<(usize, &str)>) {
        let got = refused(answer.as_bytes(), 5);
        let got = got.map(|(count, error)| (count, error.to_string()));
        let expected = expected.map(|(count, error)| (count, error.to_owned()));
        assert_eq!(got, expected, "{answer}");
    }

    #[test]
    fn a_receiver_may_refuse_some() {
        for whole in ["", "{}", r#"{"partialSuccess":{}}"#, "<html>"] {
            check(whole, None);
        }
        check(r#"{"partialSuccess":{"rejectedLogRecords":"0"}}"#, None);
        check(
            r#"{"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old"}}"#,
            Some((3, "the target refused it: 3 of 5 log records: too old")),
        );
        check(
            r#"{"partialSuccess":{"errorMessage":"","rejectedLogRecords":9}}"#,
            Some((5, "the target refused it: 9 of 5 log records: ")),
        );
    }

    #[test]
    fn a_request_is_json() {
        let request = [&*start(b"a\"b\\c\n\xff"), END].concat();
        let request: serde_json::Value = serde_json::from_slice(&request).unwrap();
        let host = "/resourceLogs/0/resource/attributes/1/value/stringValue";
        assert_eq!(request.pointer(host).unwrap(), "a\"b\\c\u{fffd}");
        let records = "/resourceLogs/0/scopeLogs/0/logRecords";
        assert_eq!(request.pointer(records).unwrap(), &serde_json::json!([]));
    }
}
