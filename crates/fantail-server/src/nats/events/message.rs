//! Messages with events: their lines, and the answers of the stream.

use std::io;

use async_nats::{Client, HeaderMap, RequestErrorKind};
use fantail_fleet::events::{BatchHead, HEADER};
use fantail_transport::{PayloadId, Payloads, Retry, TransportError, TransportErrorKind};
use serde_json::Value;

/// The lines of a message, unless one line is longer.
const MESSAGE_BYTES: usize = 128 * 1024;

/// What the head of a message takes at most, of the bytes that the broker allows.
const HEAD_BYTES: usize = 512;

/// The error of JetStream for a message that is larger than the stream allows.
const TOO_LARGE: u64 = 10_054;

/// Payloads that go into one message, or into none.
#[derive(Debug)]
pub(super) enum Part {
    Message {
        first: PayloadId,
        count: usize,
        body: Vec<u8>,
    },
    /// One payload that no message can have.
    Refused(TransportError),
}

/// Divides payloads into messages of at most `max_payload` bytes with their heads.
pub(super) fn divide(payloads: Payloads<'_>, first: PayloadId, max_payload: usize) -> Vec<Part> {
    let most = max_payload.saturating_sub(HEAD_BYTES);
    let mut parts = Vec::new();
    for (number, payload) in (first.number..).zip(payloads.iter()) {
        if let Some(error) = refusal(payload, most) {
            parts.push(Part::Refused(error));
            continue;
        }
        match parts.last_mut() {
            Some(Part::Message { count, body, .. })
                if body.len() + payload.len() < MESSAGE_BYTES.min(most) =>
            {
                *count += 1;
                body.extend_from_slice(payload);
                body.push(b'\n');
            }
            _ => parts.push(Part::Message {
                first: PayloadId { number, ..first },
                count: 1,
                body: [payload, b"\n"].concat(),
            }),
        }
    }
    parts
}

/// Returns why no message can have a payload.
fn refusal(payload: &[u8], most: usize) -> Option<TransportError> {
    let what = if memchr::memchr(b'\n', payload).is_some() {
        "an event has several lines".to_owned()
    } else if payload.len() >= most {
        let bytes = payload.len();
        format!("an event has {bytes} bytes, and the broker takes less than {most}")
    } else {
        return None;
    };
    Some(refused(io::Error::other(what)))
}

/// Publishes a message and waits for the answer of the stream.
///
/// # Errors
/// The stream refused the message, or its answer is unknown.
pub(super) async fn publish(
    client: Client,
    subject: String,
    head: BatchHead,
    body: Vec<u8>,
) -> Result<(), TransportError> {
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, head.to_string());
    let answer = client.request_with_headers(subject.clone(), headers, body.into());
    let error = match answer.await {
        Ok(answer) => return stored(&answer.payload),
        Err(error) => error,
    };
    Err(failed(match error.kind() {
        RequestErrorKind::NoResponders => {
            let what = "no stream takes its events; `fantail collect` creates one";
            io::Error::new(io::ErrorKind::NotFound, what)
        }
        RequestErrorKind::TimedOut => {
            let what = format!("no answer; may this host publish {subject}?");
            io::Error::new(io::ErrorKind::TimedOut, what)
        }
        _ => io::Error::other(error.to_string()),
    }))
}

/// Reads the answer of the stream.
fn stored(answer: &[u8]) -> Result<(), TransportError> {
    let unexpected = |what| TransportError::new(TransportErrorKind::Answer, io::Error::other(what));
    let answer: Value =
        serde_json::from_slice(answer).map_err(|error| unexpected(error.to_string()))?;
    let Some(error) = answer.get("error") else {
        let sequence = answer.get("seq").and_then(Value::as_u64);
        return match sequence {
            Some(_) => Ok(()),
            None => Err(unexpected(answer.to_string())),
        };
    };
    let text = error.get("description").and_then(Value::as_str);
    let text = text.unwrap_or("an error without a description").to_owned();
    Err(match error.get("err_code").and_then(Value::as_u64) {
        Some(TOO_LARGE) => refused(io::Error::other(text)),
        _ => unexpected(text),
    })
}

/// Returns the error of a message whose fate is unknown.
pub(super) const fn failed(error: io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Write, error)
}

fn refused(error: io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Refused, error).with_retry(Retry::Never)
}

#[cfg(test)]
mod tests {
    use fantail_transport::{Batch, PayloadId, Retry};

    use super::{HEAD_BYTES, Part, divide, stored};

    /// Returns the messages as `number+count`, or `-` for one that is refused.
    fn divided(payloads: &[&[u8]], most: usize) -> Vec<String> {
        let mut batch = Batch::new();
        payloads.iter().for_each(|payload| batch.push(payload));
        let first = PayloadId { run: 1, number: 10 };
        let parts = divide(batch.payloads(), first, most + HEAD_BYTES);
        let parts = parts.into_iter().map(|part| match part {
            Part::Message { first, count, body } => {
                assert!(body.len() <= most);
                let lines = body.split_inclusive(|byte| *byte == b'\n');
                assert_eq!(lines.count(), count);
                format!("{}+{count}", first.number)
            }
            Part::Refused(error) => {
                assert_eq!(error.retry(), Retry::Never);
                "-".to_owned()
            }
        });
        parts.collect()
    }

    #[test]
    fn messages_fit_and_name_their_first_event() {
        assert_eq!(divided(&[b"one", b"two"], 8), ["10+2"]);
        assert_eq!(divided(&[b"one", b"two"], 7), ["10+1", "11+1"]);
        let refused: &[&[u8]] = &[b"one", b"a\nb", b"12345678", b"two", b""];
        assert_eq!(divided(refused, 8), ["10+1", "-", "-", "13+2"]);
    }

    #[test]
    fn answers_of_the_stream_are_understood() {
        assert!(stored(br#"{"stream":"S","seq":5}"#).is_ok());
        let full = br#"{"error":{"code":400,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"S","seq":0}"#;
        let error = stored(full).unwrap_err();
        assert!(error.to_string().ends_with("maximum bytes exceeded"));
        assert_ne!(error.retry(), Retry::Never);
        let large = br#"{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}"#;
        assert_eq!(stored(large).unwrap_err().retry(), Retry::Never);
        assert!(stored(b"").is_err() && stored(b"{}").is_err());
    }
}
