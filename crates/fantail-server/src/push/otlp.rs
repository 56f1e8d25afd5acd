//! Requests of OTLP/HTTP with JSON: the frame around metrics, and the answers.

use serde_json::{Value, json};

/// The end of a request.
pub(super) const END: &[u8] = b"]}]}]}";

/// The longest reason of a receiver that is shown, in characters.
const MAX_REASON: usize = 200;

/// Returns the beginning of a request, up to its first metric. The attributes are those of
/// exported events.
pub(super) fn start(hostname: &[u8]) -> Vec<u8> {
    let host = String::from_utf8_lossy(hostname);
    let attributes = json!([
        { "key": "service.name", "value": { "stringValue": "dovecot" } },
        { "key": "host.name", "value": { "stringValue": host } },
    ]);
    let scope = json!({ "name": "fantail", "version": env!("CARGO_PKG_VERSION") });
    let start = format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":{attributes}}},"scopeMetrics":[{{"scope":{scope},"metrics":["#
    );
    start.into_bytes()
}

/// Returns the number of points of a metric. A text cannot have the key: its quotes are
/// escaped.
pub(super) fn points(metric: &[u8]) -> usize {
    memchr::memmem::find_iter(metric, br#""timeUnixNano":"#).count()
}

/// Returns how many points of an accepted request the receiver refused, and why; `None` if
/// none.
pub(super) fn refused(answer: &[u8]) -> Option<(usize, String)> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    // An integer of 64 bits is a string; some write a number.
    let count = match partial.get("rejectedDataPoints")? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    let reason = partial.get("errorMessage").and_then(Value::as_str);
    let reason = reason.unwrap_or("without a reason").chars();
    let reason = reason.filter(|one| !one.is_control()).take(MAX_REASON);
    let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
    Some((count, reason.collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{END, points, refused, start};

    #[test]
    fn a_request_is_json() {
        let request = [&*start(b"a\"b\\c\n\xff"), END].concat();
        let request: Value = serde_json::from_slice(&request).unwrap();
        let host = "/resourceMetrics/0/resource/attributes/1/value/stringValue";
        assert_eq!(request.pointer(host).unwrap(), "a\"b\\c\n\u{fffd}");
        let metrics = "/resourceMetrics/0/scopeMetrics/0/metrics";
        assert_eq!(request.pointer(metrics).unwrap(), &json!([]));
    }

    #[test]
    fn a_receiver_may_refuse_some() {
        for whole in ["", "{}", r#"{"partialSuccess":{}}"#, "<html>", "[]"] {
            assert_eq!(refused(whole.as_bytes()), None, "{whole}");
        }
        let none = r#"{"partialSuccess":{"rejectedDataPoints":"0"}}"#;
        assert_eq!(refused(none.as_bytes()), None);
        let some = r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too\nold"}}"#;
        assert_eq!(refused(some.as_bytes()), Some((3, "tooold".to_owned())));
        let number = r#"{"partialSuccess":{"rejectedDataPoints":9}}"#;
        let expected = (9, "without a reason".to_owned());
        assert_eq!(refused(number.as_bytes()), Some(expected));
    }

    #[test]
    fn points_are_counted_by_their_times() {
        let point = |label: &str| json!({ "timeUnixNano": "1", "attributes": label });
        let hostile = point(r#""timeUnixNano":"1""#);
        let metric = json!({ "sum": { "dataPoints": [point("a"), hostile] } });
        assert_eq!(points(metric.to_string().as_bytes()), 2);
    }
}
