//! The words of random events and filters.

mod filter;

pub(in crate::campaigns::diff) use self::filter::filter;
use super::{random::Random, text::escape, version::Version};

/// The type of the value that an event has under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    /// A small number that is not negative.
    Count,
    Address,
    Time,
    List,
}

/// A key, with the kind of its values.
pub(super) type Key = (&'static str, Kind);

/// The keys of single filters and events.
pub(super) const KEYS: &[Key] = &[
    ("user", Kind::Text),
    ("cmd_name", Kind::Text),
    ("mailbox", Kind::Text),
    ("and", Kind::Text),
    ("weird key", Kind::Text),
    ("q\"k\\", Kind::Text),
    ("bytes_in", Kind::Integer),
    ("status_code", Kind::Integer),
    ("net_out", Kind::Integer),
    ("remote_ip", Kind::Address),
    ("local_ip", Kind::Address),
    ("last_run", Kind::Time),
    ("reason_code", Kind::List),
    ("flags", Kind::List),
];

/// The keys of configurations and streams.
pub(super) const STREAMS: &[Key] = &[
    ("user", Kind::Text),
    ("cmd_name", Kind::Text),
    ("mailbox", Kind::Text),
    ("bytes_in", Kind::Count),
    ("status_code", Kind::Count),
    ("net_out", Kind::Integer),
    ("remote_ip", Kind::Address),
    ("last_run", Kind::Time),
    ("reason_code", Kind::List),
    ("flags", Kind::List),
];

pub(super) const NAMES: &[&str] = &[
    "imap_command_finished",
    "mail_opened",
    "MAIL_opened",
    "x",
    "x*y",
    "q?z",
    "back\\slash",
    "with \"quote\"",
];

/// Registered by both evaluators; the last one is not.
pub(super) const CATEGORIES: &[&str] = &[
    "imap",
    "pop3",
    "lmtp",
    "auth",
    "storage",
    "mailbox",
    "mail",
    "maildir",
    "service:imap",
    "sql",
    "mysql",
];

pub(super) const LEVELS: &[&str] = &["debug", "info", "warning", "error", "fatal", "panic"];

pub(super) const FILES: &[&str] = &["imap-client.c", "x.c", "a b.c", "dir/x.c", "x:y.c"];

pub(super) const TEXTS: &[&str] = &[
    "inbox",
    "INBOX",
    "INBOX/Trash",
    "Work",
    "a*c",
    "abc",
    "ab*",
    "a?c",
    "x y",
    "",
    "\\",
    "\"",
    "'",
    "\u{fc}n\u{ef}",
    "42",
    "10M",
    "5",
    "1k",
    "and",
    "OR",
    "*",
    "**",
    "?",
    "[x]",
    "tab\there",
    "back\\slash",
    "back\\\\two",
    "\\*",
    "10.0.0.1",
    "::1",
    "1 kb",
    "3mins",
    "-7",
    "0x10",
    "%u",
    "a/b",
    "user@example.com",
    "...",
    "a-b_c:d",
];

pub(super) const INTEGERS: &[i64] = &[
    0,
    1,
    5,
    10,
    40,
    42,
    99,
    100,
    401,
    1024,
    1025,
    4096,
    5120,
    1_000_000,
    60_000_000,
    2_147_483_647,
    2_147_483_648,
    4_294_967_296,
    i64::MAX,
    -1,
    -7,
    -2_147_483_648,
    i64::MIN,
];

pub(super) const ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "10.0.0.1",
    "10.0.1.200",
    "192.168.1.7",
    "::1",
    "2001:db8::1",
    "2001:db8:0:0:0:0:0:2",
    "::ffff:10.0.0.1",
    "fe80::1",
    "0.0.0.0",
    "255.255.255.255",
];

const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.1/32",
    "192.168.0.0/16",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "fe80::/10",
    "10.0.0.0/33",
    "10.0.0/24",
    "::1/128",
    "10.0.0.*",
    "2001:db8*",
    "10.0.0.1/",
    "192.168.1.7/31",
    "::ffff:10.0.0.0/104",
];

const UNITS: &[&str] = &[
    "B",
    "K",
    "M",
    "G",
    "T",
    "kb",
    "KiB",
    "mi",
    "Gb",
    "tib",
    "ms",
    "msecs",
    "milliseconds",
    "s",
    "sec",
    "secs",
    "seconds",
    "m",
    "min",
    "mins",
    "minutes",
    "h",
    "hour",
    "hours",
    "d",
    "day",
    "days",
    "w",
    "week",
    "weeks",
    "kk",
    "x",
    "secs x",
    "year",
];

/// Returns a comparable text like the one of an event: itself, in other letter case,
/// or with wildcards in some part.
pub(super) fn pattern(random: &mut Random, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    match random.below(6) {
        0 => return text.to_uppercase(),
        1 => return text.to_lowercase(),
        2 if !letters.is_empty() => {
            let at = random.below(letters.len());
            letters[at] = '?';
        }
        3 | 4 => {
            let from = random.below(letters.len() + 1);
            let to = from + random.below(letters.len() - from + 1);
            letters.splice(from..to, ['*']);
        }
        _ => {}
    }
    letters.into_iter().collect()
}

/// Returns a number, or digits with wildcards.
///
/// 2.3 reads no numbers of −2³¹ and below. A process that compares an integer with a
/// text without wildcards dies.
pub(super) fn number(random: &mut Random, version: Version, like: i64) -> String {
    let near = match random.below(4) {
        0 => like.saturating_add(1),
        1 => like.saturating_sub(1),
        2 => *random.pick(INTEGERS),
        _ => like,
    };
    let is_text = version.is_2_3() && near <= -2_147_483_648;
    if is_text || random.chance(30) {
        let mut text = pattern(random, &near.to_string());
        if !text.contains(['*', '?']) {
            text.push('*');
        }
        return text;
    }
    near.to_string()
}

/// Returns a size, an interval, a network, or a text that resembles one.
pub(super) fn literal(random: &mut Random) -> String {
    match random.below(5) {
        0 => random.word(NETWORKS).to_owned(),
        1 => random.word(ADDRESSES).to_owned(),
        2 => random.word(TEXTS).to_owned(),
        _ => {
            let number = match random.below(4) {
                0 => random.pick(INTEGERS).to_string(),
                _ => random.below(20).to_string(),
            };
            let blank = if random.chance(20) { " " } else { "" };
            let mut unit = random.word(UNITS).to_owned();
            if random.chance(20) {
                unit.make_ascii_uppercase();
            }
            format!("{number}{blank}{unit}")
        }
    }
}

/// Returns an argument of an event: a field with a value of its kind.
///
/// 2.3 has no addresses in events: its processes send them as texts.
pub(super) fn field(random: &mut Random, key: &str, kind: Kind, version: Version) -> String {
    let key = escape(key);
    match kind {
        Kind::Text => format!("S{key}\t{}", escape(random.word(TEXTS))),
        Kind::Integer => format!("I{key}\t{}", random.pick(INTEGERS)),
        Kind::Count => format!("I{key}\t{}", 1 + random.below(5) * random.below(300)),
        Kind::Address if version.is_2_3() => format!("S{key}\t{}", random.word(ADDRESSES)),
        Kind::Address => format!("P{key}\t{}", random.word(ADDRESSES)),
        Kind::Time => {
            let microseconds = random.below(1_000_000);
            format!(
                "T{key}\t{}\t{microseconds}",
                1_795_328_000 + random.below(1_000)
            )
        }
        Kind::List => {
            // An empty element that is not the first ends the stats process of 2.4.
            let elements = TEXTS.iter().copied().filter(|text| !text.is_empty());
            let elements: Vec<&str> = elements.collect();
            let count = random.below(4);
            let mut field = format!("L{key}\t{count}");
            for _ in 0..count {
                field.push('\t');
                field.push_str(&escape(random.word(&elements)));
            }
            field
        }
    }
}
