//! What values are read as. The plain forms are what Dovecot 2.4.1 prints.

use std::net::{IpAddr, Ipv4Addr};

use fantail_event::{Dialect, Ip};
use fantail_syntax::{Network, ParseOptions, Value, ValueKind, parse};

fn value(text: &str, dialect: Dialect) -> Value {
    let filter = format!("a=\"{text}\"");
    let tree = parse(filter.as_bytes(), &ParseOptions::new(dialect)).expect(text);
    tree.comparisons()[0].value.clone()
}

#[track_caller]
fn check(text: &str, kind: ValueKind, plain: &str) {
    let value = value(text, Dialect::V2_4);
    let actual = (value.kind(), String::from_utf8_lossy(value.plain()));
    assert_eq!(actual, (kind, plain.into()), "{text}");
}

#[test]
fn integers() {
    check("007", ValueKind::Integer(7), "7");
    check("-0", ValueKind::Integer(0), "0");
    check(
        "9223372036854775807",
        ValueKind::Integer(i64::MAX),
        "9223372036854775807",
    );
    check(
        "-9223372036854775808",
        ValueKind::Integer(i64::MIN),
        "-9223372036854775808",
    );
    check(
        "9223372036854775808",
        ValueKind::Text,
        "9223372036854775808",
    );
    check("+5", ValueKind::Text, "+5");
}

#[test]
fn sizes() {
    for text in ["1k", "1K", "1KB", "1kib", "1Ki", "1  kB", "1 kib", "0001k"] {
        check(text, ValueKind::Size(1024), "1024");
    }
    check("1b", ValueKind::Size(1), "1");
    check("1 ", ValueKind::Size(1), "1");
    check("5MB", ValueKind::Size(5_242_880), "5242880");
    check("1mi", ValueKind::Size(1_048_576), "1048576");
    check("1g", ValueKind::Size(1 << 30), "1073741824");
    check(
        "8388607T",
        ValueKind::Size(8_388_607 << 40),
        "9223370937343148032",
    );
    for text in [
        "8388608T", "1P", "1i", "1iB", "-1k", "1.5k", "1k5", " 1k", "1k ", "1\tk",
    ] {
        check(text, ValueKind::Text, text);
    }
}

#[test]
fn intervals() {
    for text in ["1s", "1S", "1sec", "1 secs", "1second", "1seconds"] {
        check(text, ValueKind::Interval(1_000_000), "1000000");
    }
    for text in [
        "1ms",
        "1mse",
        "1mseconds",
        "1mil",
        "1milli",
        "1milliseconds",
    ] {
        check(text, ValueKind::Interval(1_000), "1000");
    }
    check("1min", ValueKind::Interval(60_000_000), "60000000");
    check("1minu", ValueKind::Interval(60_000_000), "60000000");
    check("1h", ValueKind::Interval(3_600_000_000), "3600000000");
    check(
        "49d",
        ValueKind::Interval(4_233_600_000_000),
        "4233600000000",
    );
    check("1we", ValueKind::Interval(604_800_000_000), "604800000000");
    check(
        "4294967295ms",
        ValueKind::Interval(4_294_967_295_000),
        "4294967295000",
    );
    for text in ["4294967296ms", "50d", "8w", "1minuts", "1y", "1wk"] {
        check(text, ValueKind::Text, text);
    }
}

#[test]
fn ambiguous_units() {
    for text in ["5M", "5m", "5 m", "0M"] {
        check(text, ValueKind::Ambiguous, text);
    }
}

#[test]
fn addresses() {
    let network = |ip: &str, bits| {
        let ip = Ip::parse(ip.as_bytes()).unwrap();
        ValueKind::Network(Network::new(ip, bits).unwrap())
    };
    check("10.0.0.0/8", network("10.0.0.0", 8), "10.0.0.0/8");
    check("10/8", network("0.0.0.10", 8), "0.0.0.10/8");
    check("1.1.1.1/032", network("1.1.1.1", 32), "1.1.1.1");
    check(
        "2001:DB8::1/128",
        network("2001:db8::1", 128),
        "2001:db8::1",
    );
    check("[::1]/64", network("::1", 64), "::1/64");
    check("0x10", network("0.0.0.16", 32), "0.0.0.16");
    let written = [
        "1.1.1.1/33",
        "::1/129",
        "1.1.1.1/",
        "1.1.1.1/+8",
        "[::1/64]",
        "1/1/1",
    ];
    for text in written {
        check(text, ValueKind::Text, text);
    }
}

#[test]
fn networks_hold_addresses() {
    #[track_caller]
    fn check(network: &str, ip: &str, expected: bool) {
        let network = Network::parse(network.as_bytes()).unwrap();
        let ip = Ip::parse(ip.as_bytes()).unwrap();
        assert_eq!(network.contains(ip), expected, "{ip} in {network}");
    }
    check("1.1.1.0/24", "1.1.1.255", true);
    check("1.1.1.0/24", "1.1.2.0", false);
    check("0/0", "255.255.255.255", true);
    check("::/0", "1.1.1.1", false);
    check("10.0.0.0/8", "::ffff:10.0.0.1", true);
    check("::ffff:10.0.0.1", "::ffff:10.0.0.1", false);
    check("::/0", "::ffff:10.0.0.1", false);
    check("fe80::/10", "fe80::1%7", true);
    check("fe80::%7/10", "fe80::1%7", true);
    check("fe80::%7/10", "fe80::1%8", false);
    check("fe80::%7/10", "fe80::1", false);
    assert!(Network::new(IpAddr::from(Ipv4Addr::LOCALHOST).into(), 33).is_none());
}

#[test]
fn the_2_3_dialect_knows_only_some_integers() {
    let kind = |text| value(text, Dialect::V2_3).kind();
    assert_eq!(kind("5"), ValueKind::Integer(5));
    assert_eq!(kind("-2147483647"), ValueKind::Integer(-2_147_483_647));
    for text in ["-2147483648", "1k", "1s", "::1", "10.0.0.1"] {
        assert_eq!(kind(text), ValueKind::Text, "{text}");
    }
    assert_eq!(value("007", Dialect::V2_3).plain(), b"007");
}
