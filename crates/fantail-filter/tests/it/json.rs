//! JSON objects as events.

use fantail_event::{EventView, ValueRef};
use fantail_filter::JsonEvent;
use serde_json::json;

use crate::values::{BOTH, check_view};

/// The values of JSON keep their kinds.
#[test]
fn json_numbers_and_truth_values() {
    let json = json!({
        "event": "e", "float": 42.5, "whole": 42.0, "large": u64::MAX, "largest": i64::MAX,
        "int": -42, "yes": true, "no": false, "null": null, "object": {"v": 1},
        "list": ["a", 1, true, "b"], "none": [],
    });
    let event = JsonEvent::new(json.as_object().unwrap());
    assert_eq!(event.field(b"float"), Some(ValueRef::Float(42.5)));
    assert_eq!(event.field(b"whole"), Some(ValueRef::Float(42.0)));
    assert_eq!(event.field(b"large"), Some(ValueRef::Unsigned(u64::MAX)));
    assert_eq!(event.field(b"largest"), Some(ValueRef::Int(i64::MAX)));
    assert_eq!(event.field(b"int"), Some(ValueRef::Int(-42)));
    assert_eq!(event.field(b"yes"), Some(ValueRef::Bool(true)));
    assert_eq!(event.field(b"no"), Some(ValueRef::Bool(false)));
    assert_eq!(event.field(b"null"), None);
    assert_eq!(event.field(b"object"), None);
    let floats = ["float>42", "float<43", "float=42.*", "whole=42", "whole<42"];
    check_view(&event, &BOTH, &floats, &[0, 1, 2, 3]);
    let numbers = [
        "large>9223372036854775807",
        "large=184*",
        "largest<large",
        "int<0",
    ];
    check_view(&event, &BOTH, &numbers, &[0, 1, 3]);
    let others = ["yes=yes", "no=n?", "yes=true", "null=\"\"", "object=\"\""];
    check_view(&event, &BOTH, &others, &[0, 1, 3, 4]);
    let lists = [
        "list=a",
        "list=B",
        "list=1",
        "list=yes",
        "none=\"\"",
        "list=\"\"",
    ];
    check_view(&event, &BOTH, &lists[..1], &[0]);
    check_view(&event, &BOTH, &lists[2..], &[2]);
}
