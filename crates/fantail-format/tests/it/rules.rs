//! Fields that are left out, hashed or shortened.

use fantail_event::Dialect;
use fantail_format::{HashKey, KeyPattern, Mask};

use super::*;

const EVENT: &[u8] = b"nx\tSuser\tbob@example.org\tPremote_ip\t192.0.2.77\tSpassword\tsecret\tIbytes\t42\tSmailbox\taa\xc3\xa4bb\tLl\t2\tbob@example.org\t42";

fn patterns(names: &[&str]) -> Vec<KeyPattern> {
    names.iter().map(|name| KeyPattern::new(*name)).collect()
}

fn masked(pattern: &str, mask: Mask) -> FieldRules {
    FieldRules {
        masks: vec![(KeyPattern::new(pattern), mask)],
        ..FieldRules::default()
    }
}

#[track_caller]
fn check(event: &[u8], rules: FieldRules, expected: &str) {
    let sent = Sent::alone(event);
    let settings = FormatterSettings {
        rules,
        ..settings(Format::Ndjson, Dialect::V2_4)
    };
    check_sent(&sent, settings, expected.as_bytes());
}

#[test]
fn allowed_and_denied() {
    let allow = FieldRules {
        allow: patterns(&["bytes", "pass*", "absent"]),
        ..FieldRules::default()
    };
    check(
        EVENT,
        allow.clone(),
        r#"{"event":"x","password":"secret","bytes":42}"#,
    );
    let both = FieldRules {
        deny: patterns(&["password"]),
        ..allow
    };
    check(EVENT, both, r#"{"event":"x","bytes":42}"#);
}

#[test]
fn denied_fields_that_the_metric_chose() {
    let sent = Sent::alone(EVENT);
    let settings = FormatterSettings {
        fields: vec![b"password".to_vec(), b"bytes".to_vec()],
        rules: FieldRules {
            deny: patterns(&["p*"]),
            ..FieldRules::default()
        },
        ..settings(Format::TabText, Dialect::V2_3)
    };
    check_sent(&sent, settings, b"event:x\tfield:bytes=42");
}

/// The digits are those of `openssl dgst -sha256 -hmac 'of sixteen bytes'`.
#[test]
fn hashes_are_those_of_openssl() {
    let key = || HashKey::new(b"of sixteen bytes\n").unwrap();
    check(
        EVENT,
        FieldRules {
            allow: patterns(&["user", "remote_ip", "bytes", "l"]),
            ..masked("*", Mask::Hash(key()))
        },
        r#"{"event":"x","user":"bd864e4899eca6041a7099cc109e8da2","remote_ip":"f3877caf6b6523d4d6f59925088794cf","bytes":"490b3000d30c6a688e5ebe3df4cc6cac","l":["bd864e4899eca6041a7099cc109e8da2","490b3000d30c6a688e5ebe3df4cc6cac"]}"#,
    );
    // A field that was removed is none.
    check(
        b"nx\tSuser\t",
        masked("user", Mask::Hash(key())),
        r#"{"event":"x","user":""}"#,
    );
    assert_eq!(format!("{:?}", key()), "HashKey(..)");
}

#[test]
fn the_first_mask_counts_and_the_others_stay() {
    let rules = FieldRules {
        masks: vec![
            (KeyPattern::new("b"), Mask::Truncate(1)),
            (KeyPattern::new("*"), Mask::Truncate(2)),
        ],
        ..FieldRules::default()
    };
    check(
        b"nx\tSa\tabc\tSb\tabc\tIc\t12345",
        rules,
        r#"{"event":"x","a":"ab","b":"a","c":12345}"#,
    );
}

#[test]
fn truncated_to_whole_characters() {
    for (bytes, expected) in [
        (0, ""),
        (2, "aa"),
        (3, "aa"),
        (4, "aaä"),
        (6, "aaäbb"),
        (9, "aaäbb"),
    ] {
        check(
            b"nx\tSmailbox\taa\xc3\xa4bb",
            masked("mailbox", Mask::Truncate(bytes)),
            &format!(r#"{{"event":"x","mailbox":"{expected}"}}"#),
        );
    }
    check(
        b"nx\tSm\t\x80\x80\x80\x80\x80\tLl\t2\tabc\td",
        masked("*", Mask::Truncate(2)),
        "{\"event\":\"x\",\"m\":\"\u{fffd}\u{fffd}\",\"l\":[\"ab\",\"d\"]}",
    );
}

#[test]
fn addresses_become_networks() {
    for (address, v4, v6, expected) in [
        ("192.0.2.77", 24, 56, "192.0.2.0"),
        ("192.0.2.77", 0, 0, "0.0.0.0"),
        ("192.0.2.77", 32, 128, "192.0.2.77"),
        ("192.0.2.77", 255, 255, "192.0.2.77"),
        ("2001:db8:1:2ff::1", 24, 56, "2001:db8:1:200::"),
        ("::ffff:192.0.2.77", 24, 56, "::ffff:192.0.2.0"),
        ("fe80::1%eth0", 24, 56, "fe80::"),
        ("[2001:db8::1]", 24, 32, "2001:db8::"),
        ("bob", 24, 56, ""),
        ("", 24, 56, ""),
    ] {
        check(
            format!("nx\tSremote_ip\t{address}").as_bytes(),
            masked("remote_ip", Mask::Network { v4, v6 }),
            &format!(r#"{{"event":"x","remote_ip":"{expected}"}}"#),
        );
    }
    check(
        EVENT,
        FieldRules {
            allow: patterns(&["remote_ip"]),
            ..masked("*", Mask::Network { v4: 16, v6: 48 })
        },
        r#"{"event":"x","remote_ip":"192.0.0.0"}"#,
    );
}
