//! The cases.

use fantail_event::Dialect::{V2_3, V2_4};

use super::*;

const BOTH: [Dialect; 2] = [V2_3, V2_4];

#[test]
fn json_escapes_what_needs_it_and_replaces_each_bad_byte() {
    let event = b"nt1\tSs\ta\"b\\c/d\x08\x0c\x0b\x1f\x7f\xc3\xa4\xe2\x80\xa8\xff\xfe\xed\xa0\x80\xf0\x9f\x98\x80\x01t\x01n\x01r\x011'<>";
    let tab_text = b"event:t1\tfield:s=a\"b\\c/d\x08\x0c\x0b\x1f\x7f\xc3\xa4\xe2\x80\xa8\xff\xfe\xed\xa0\x80\xf0\x9f\x98\x80\x01t\x01n\x01r\x011'<>";
    let bad = "\u{fffd}".repeat(5);
    let json = |b: &str, f: &str| {
        format!(
            "{{\"event\":\"t1\",\"fields\":{{\"s\":\"a\\\"b\\\\c/d\\b\\f\\u000{b}\\u001{f}\x7fä\\u2028{bad}😀\\t\\n\\r\\u0001'<>\"}}}}"
        )
    };
    check(event, V2_3, json("b", "f").as_bytes(), tab_text);
    check(event, V2_4, json("B", "F").as_bytes(), tab_text);
}

#[test]
fn every_byte_that_is_no_character_is_replaced_by_one() {
    let event = b"nt7\tSa\t\xe2\x82x\tSb\t\xf0\x9f\x98\tSc\t\xc0\x80\xc1\xbf\tSd\t\xed\xa0\x80\tSe\t\xf4\x90\x80\x80\tSf\t\xe2\x80\xa9\tSg\t\xe2\x82\xffz\xe2\x28\xa1\tSh\t\xef\xbf\xbf\xef\xbb\xbf\xc2\x80";
    let r = |n: usize| "\u{fffd}".repeat(n);
    let json = format!(
        "{{\"fields\":{{\"a\":\"{}x\",\"b\":\"{}\",\"c\":\"{}\",\"d\":\"{}\",\"e\":\"{}\",\"f\":\"\\u2029\",\"g\":\"{}z{}({}\",\"h\":\"\u{ffff}\u{feff}\u{80}\"}}}}",
        r(2),
        r(3),
        r(4),
        r(3),
        r(4),
        r(3),
        r(1),
        r(1)
    );
    for dialect in BOTH {
        let mut settings = settings(Format::Json, dialect);
        settings.parts.name = false;
        check_sent(&Sent::alone(event), settings, json.as_bytes());
    }
}

#[test]
fn names_and_keys_are_escaped_too() {
    for dialect in BOTH {
        check(
            b"nt\"q\\\x01t\tSk\"\\\x01t\xff\tv",
            dialect,
            "{\"event\":\"t\\\"q\\\\\\t\",\"fields\":{\"k\\\"\\\\\\t\u{fffd}\":\"v\"}}".as_bytes(),
            b"event:t\"q\\\x01t\tfield:k\"\\\x01t\xff=v",
        );
    }
}

#[test]
fn lists_are_arrays_and_in_tab_text_escaped_twice() {
    for dialect in BOTH {
        check(
            b"nt1\tIi\t-5\tTt\t1795328191\t7\tLl\t2\ta\"\tb\x01tc\tSe\t",
            dialect,
            b"{\"event\":\"t1\",\"fields\":{\"i\":-5,\"t\":\"2026-11-22T06:16:31.000007Z\",\"l\":[\"a\\\"\",\"b\\tc\"],\"e\":\"\"}}",
            b"event:t1\tfield:i=-5\tfield:t=2026-11-22T06:16:31.000007Z\tfield:l=a\"\x01tb\x011tc\tfield:e=",
        );
    }
    // An empty element behind another one kills 2.4.1; 2.3.19 answered:
    check(
        b"nt8\tLl\t2\ta\t",
        V2_3,
        b"{\"event\":\"t8\",\"fields\":{\"l\":[\"a\",\"\"]}}",
        b"event:t8\tfield:l=a\x01t",
    );
}

#[test]
fn times_before_1970_keep_their_parts() {
    let sent = Sent::alone(b"nt\tTt\t-1\t7");
    for dialect in BOTH {
        let unix = FormatterSettings {
            time_style: TimeStyle::Unix,
            ..settings(Format::Json, dialect)
        };
        check_sent(
            &sent,
            unix.clone(),
            b"{\"event\":\"t\",\"fields\":{\"t\":-1.000007}}",
        );
        let unix = FormatterSettings {
            format: Format::TabText,
            ..unix
        };
        check_sent(&sent, unix, b"event:t\tfield:t=-1.000007");
        check(
            b"nt\tTt\t-1\t7\tTu\t99999999999\t7",
            dialect,
            b"{\"event\":\"t\",\"fields\":{\"t\":\"1969-12-31T23:59:59.000007Z\",\"u\":\"5138-11-16T09:46:39.000007Z\"}}",
            b"event:t\tfield:t=1969-12-31T23:59:59.000007Z\tfield:u=5138-11-16T09:46:39.000007Z",
        );
    }
}

#[test]
fn times_that_kill_dovecot_are_numbers() {
    check(
        b"nt\tTt\t9223372036854775807\t7",
        V2_4,
        b"{\"event\":\"t\",\"fields\":{\"t\":9223372036854775807.000007}}",
        b"event:t\tfield:t=9223372036854775807.000007",
    );
}

#[test]
fn addresses_are_text() {
    check(
        b"nt2\tPzz\t10.1.2.3\tPc\t[::1]\tPd\t::ffff:1.2.3.4\tPe\t2001:DB8::0:1",
        V2_4,
        b"{\"event\":\"t2\",\"fields\":{\"zz\":\"10.1.2.3\",\"c\":\"::1\",\"d\":\"::ffff:1.2.3.4\",\"e\":\"2001:db8::1\"}}",
        b"event:t2\tfield:zz=10.1.2.3\tfield:c=::1\tfield:d=::ffff:1.2.3.4\tfield:e=2001:db8::1",
    );
}

#[test]
fn parents_are_written_into_the_event() {
    let sent = Sent {
        event: b"nt3\tLl\t2\ty\tz\tSremoved\t\tSi\t1",
        parents: &[b"Ss\tpar\tLl\t2\tx\ty\tSremoved\tv\tIduration\t7"],
        global: &[],
    };
    let json = b"{\"event\":\"t3\",\"fields\":{\"s\":\"par\",\"l\":[\"x\",\"y\",\"z\"],\"removed\":\"\",\"duration\":732764,\"i\":\"1\"}}";
    let text = b"event:t3\tfield:s=par\tfield:l=x\x01ty\x01tz\tfield:removed=\tfield:duration=732764\tfield:i=1";
    for dialect in BOTH {
        check_sent(&sent, settings(Format::Json, dialect), json);
        check_sent(&sent, settings(Format::TabText, dialect), text);
    }
}

#[test]
fn the_global_event_comes_before_the_parents() {
    let sent = Sent {
        event: b"nt6\tSown\t1\tIduration\t2",
        parents: &[b"Ss\tparent\tSp1\t1"],
        global: &[b"Ss\tglob2\tSg2\t1", b"Ss\tglob\tSg\t1\tIduration\t1"],
    };
    let json = b"{\"event\":\"t6\",\"fields\":{\"s\":\"parent\",\"g\":\"1\",\"duration\":732764,\"g2\":\"1\",\"p1\":\"1\",\"own\":\"1\"}}";
    for dialect in BOTH {
        check_sent(&sent, settings(Format::Json, dialect), json);
    }
}

#[test]
fn a_list_replaces_a_string_of_the_parent() {
    let sent = Sent {
        event: b"nt3\tLs\t2\ty\tz",
        parents: &[b"Ss\tpar"],
        global: &[],
    };
    check_sent(
        &sent,
        settings(Format::Json, V2_4),
        b"{\"event\":\"t3\",\"fields\":{\"s\":[\"y\",\"z\"]}}",
    );
}

#[test]
fn chosen_fields_come_in_the_order_chosen() {
    let sent = Sent::alone(b"nt1\tSs\tx\tIi\t-5\tTt\t1795328191\t7\tLl\t1\ta\tSother\to");
    let chosen = ["zz", "s", "t", "i", "nosuch", "l", "p"].map(|key| key.as_bytes().to_vec());
    let mut settings = settings(Format::Json, V2_4);
    settings.fields = chosen.to_vec();
    settings.parts.name = false;
    check_sent(
        &sent,
        settings.clone(),
        b"{\"fields\":{\"s\":\"x\",\"t\":\"2026-11-22T06:16:31.000007Z\",\"i\":-5,\"l\":[\"a\"]}}",
    );
    settings.format = Format::TabText;
    check_sent(
        &sent,
        settings,
        b"field:s=x\tfield:t=2026-11-22T06:16:31.000007Z\tfield:i=-5\tfield:l=a",
    );
}

#[test]
fn parts_without_contents() {
    let sent = Sent::alone(b"nt");
    let with = |format, parts| FormatterSettings {
        parts,
        ..settings(format, V2_4)
    };
    let hostname = Parts {
        hostname: true,
        ..Parts::EMPTY
    };
    let fields = Parts {
        fields: true,
        ..Parts::EMPTY
    };
    check_sent(
        &sent,
        with(Format::Json, hostname),
        b"{\"hostname\":\"vm\"}",
    );
    check_sent(&sent, with(Format::TabText, hostname), b"hostname:vm");
    check_sent(&sent, with(Format::Json, fields), b"{\"fields\":{}}");
    check_sent(&sent, with(Format::TabText, fields), b"");
    check_sent(&sent, with(Format::Json, Parts::EMPTY), b"{}");
    check_sent(&sent, with(Format::TabText, Parts::EMPTY), b"");
    check_sent(&sent, with(Format::None, Parts::ALL), b"");
    // No categories, and yet their TAB: two TABs.
    let sent = Sent::alone(b"nt4\tIi\t1");
    let parts = Parts {
        hostname: false,
        timestamps: false,
        ..Parts::ALL
    };
    check_sent(
        &sent,
        with(Format::TabText, parts),
        b"event:t4\t\tfield:i=1",
    );
    check_sent(
        &sent,
        with(Format::Json, parts),
        b"{\"event\":\"t4\",\"categories\":[],\"fields\":{\"i\":1}}",
    );
}

#[test]
fn categories_come_with_their_ancestors() {
    // The order is ours; Dovecot's is that of a hash table.
    let parts = Parts {
        categories: true,
        ..Parts::EMPTY
    };
    for parents in [&[][..], &[b"Sx\ty".as_slice()]] {
        let sent = Sent {
            event: b"nt4\tcleaf1\tcroot1",
            parents,
            global: &[],
        };
        let settings = FormatterSettings {
            parts,
            ..settings(Format::TabText, V2_4)
        };
        check_sent(
            &sent,
            settings,
            b"category:leaf1\tcategory:mid1\tcategory:root1",
        );
    }
}

#[test]
fn unnamed_events_have_no_name_part() {
    // 2.4.1 dies of the tab-text of one (N2).
    check(b"Sk\tv", V2_4, b"{\"fields\":{\"k\":\"v\"}}", b"field:k=v");
    check(
        b"n\tSk\tv",
        V2_4,
        b"{\"event\":\"\",\"fields\":{\"k\":\"v\"}}",
        b"event:\tfield:k=v",
    );
}

#[track_caller]
fn check_cut(value: &[u8], dialect: Dialect, json: &[u8], tab_text: &[u8]) {
    let event = [b"n\tSb\t", value].concat();
    let sent = Sent::alone(&event);
    let cut = |format| FormatterSettings {
        parts: Parts {
            fields: true,
            ..Parts::EMPTY
        },
        cut_long_strings: true,
        ..settings(format, dialect)
    };
    let json = [b"{\"fields\":{\"b\":\"", json, b"...\"}}"].concat();
    check_sent(&sent, cut(Format::Json), &json);
    check_sent(
        &sent,
        cut(Format::TabText),
        &[b"field:b=", tab_text, b"..."].concat(),
    );
}

#[test]
fn the_log_cuts_long_strings() {
    let x = |n: usize| b"x".repeat(n);
    let a = |n: usize| "ä".repeat(n).into_bytes();
    let bad = "\u{fffd}".as_bytes();
    for dialect in BOTH {
        check_cut(&x(1001), dialect, &x(1000), &x(1000));
    }
    check_cut(&a(600), V2_3, &a(500), &a(500));
    check_cut(&a(600), V2_4, &a(499), &a(500));
    let odd = |n: usize| [b"x".as_slice(), &a(n)].concat();
    let half = [odd(499).as_slice(), b"\xc3"].concat();
    check_cut(&odd(500), V2_3, &[odd(499).as_slice(), bad].concat(), &half);
    check_cut(&odd(500), V2_4, &odd(499), &half);
    let smile = [x(998).as_slice(), "😀".as_bytes()].concat();
    check_cut(
        &smile,
        V2_3,
        &[x(998).as_slice(), bad, bad].concat(),
        &smile[..1000],
    );
    check_cut(&smile, V2_4, &x(998), &smile[..1000]);
    let broken = [x(999).as_slice(), b"\xff\xff"].concat();
    check_cut(
        &broken,
        V2_3,
        &[x(999).as_slice(), bad].concat(),
        &broken[..1000],
    );
    check_cut(&broken, V2_4, &x(999), &broken[..1000]);
}

#[test]
fn the_log_cuts_elements_in_json_only() {
    let y = b"y".repeat(1200);
    let event = [b"n\tLl\t2\t".as_slice(), &y, b"\tz"].concat();
    let sent = Sent::alone(&event);
    for dialect in BOTH {
        let cut = |format| FormatterSettings {
            parts: Parts {
                fields: true,
                ..Parts::EMPTY
            },
            cut_long_strings: true,
            ..settings(format, dialect)
        };
        let json = [
            b"{\"fields\":{\"l\":[\"".as_slice(),
            &y[..1000],
            b"...\",\"z\"]}}",
        ]
        .concat();
        check_sent(&sent, cut(Format::Json), &json);
        let text = [b"field:l=".as_slice(), &y, b"\x01tz"].concat();
        check_sent(&sent, cut(Format::TabText), &text);
    }
}
