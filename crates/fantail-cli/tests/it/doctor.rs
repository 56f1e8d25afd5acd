//! `fantail doctor` where there is little to look at.

use serde_json::Value;

use crate::program::fantail;

#[test]
fn a_configuration_that_is_missing_is_found() {
    let arguments = [
        "doctor",
        "--config",
        "/nonexistent/dovecot.conf",
        "--format",
        "json",
    ];
    let run = fantail(&arguments, b"");
    assert_eq!(run.status, Some(1), "{}", run.err);
    let report: Value = serde_json::from_slice(&run.out).unwrap();
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("/nonexistent/dovecot.conf"), "{message}");
    assert_eq!(report["findings"][0]["severity"], "error");
}

#[test]
fn a_time_to_watch_is_longer_than_nothing() {
    let run = fantail(&["doctor", "--watch", "0s"], b"");
    assert_eq!(run.status, Some(2));
}
