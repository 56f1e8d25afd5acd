//! Events with 128 fields and more, their own and inherited ones.

use fantail_event::Dialect;
use fantail_fuzz::SideBySide;
use fantail_wire::Limits;

const FILTERS: [&str; 12] = [
    "k0=0",
    "k0=last",
    "k127=127 OR k128=128",
    "k999=*",
    "NOT k5=5",
    "l=e0",
    "l=e70 AND NOT l=e999",
    "l=own",
    "duration>0",
    "duration=*",
    "g1=*",
    "event=x",
];

/// Plays lines on one connection.
#[track_caller]
fn check(lines: &[String]) {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        let filters = FILTERS.iter().map(|filter| filter.as_bytes());
        let mut servers = SideBySide::new(filters, dialect, &Limits::default());
        assert!(servers.line(0, b"VERSION\tstats-client\t4\t0"));
        for line in lines {
            assert!(servers.line(0, line.as_bytes()), "{line}");
        }
        servers.finish();
    }
}

fn fields(key: &str, range: std::ops::Range<u32>) -> String {
    let fields = range.map(|n| format!("\tS{key}{n}\t{n}"));
    fields.collect()
}

fn list(range: std::ops::Range<u32>) -> String {
    let elements = range.clone().map(|n| format!("\te{n}"));
    format!("\tLl\t{}{}", range.len(), elements.collect::<String>())
}

fn begin(id: u32, parent: u32, fields: &str) -> String {
    format!("BEGIN\t{id}\t{parent}\t1\t1\t0\tl1\t{id}{fields}")
}

fn event(global: u32, parent: u32, fields: &str) -> String {
    format!("EVENT\t{global}\t{parent}\t1\t1\t0\tl1\t9\tnx{fields}")
}

/// Around the number of fields from which on they are found by a map.
#[test]
fn own_fields() {
    let lines: Vec<String> = [0, 1, 63, 64, 65, 126, 127, 128, 129, 200, 1_023]
        .into_iter()
        .map(|count| event(0, 0, &fields("k", 0..count)))
        .collect();
    check(&lines);
}

#[test]
fn inherited_fields() {
    for (global, parent, own) in [
        (0, 64, 63),
        (0, 64, 64),
        (0, 127, 0),
        (0, 0, 128),
        (50, 50, 27),
        (50, 50, 28),
        (1_000, 1_000, 1_000),
    ] {
        let lines = [
            begin(1, 0, &fields("g", 0..global)),
            begin(2, 0, &fields("k", 0..parent)),
            // All new, and all the same.
            event(1, 2, &fields("o", 0..own)),
            event(1, 2, &fields("k", 0..own)),
            event(1, 2, &fields("g", 0..own)),
            event(2, 2, &fields("k", 0..own)),
        ];
        check(&lines);
    }
}

#[test]
fn repeated_keys() {
    for count in [3, 60, 127, 128, 600] {
        let own = fields("k", 0..count) + "\tSk0\tlast\tLl\t1\te0\tLl\t1\town";
        let again = fields("k", 0..count) + &fields("k", 0..count) + "\tSk0\tlast";
        let lines = [
            event(0, 0, &own),
            event(0, 0, &again),
            begin(1, 0, &own),
            begin(2, 1, &again),
            event(0, 1, &own),
            event(1, 2, &own),
            event(1, 2, &again),
            event(2, 1, "\tSk0\tx"),
        ];
        check(&lines);
    }
}

/// The fields of 100 ancestors, and of twice as many.
#[test]
fn many_ancestors() {
    let own = |id: u32| fields("k", id..id + 3) + &list(id..id + 3);
    let mut lines: Vec<String> = (1..=100).map(|id| begin(id, id - 1, &own(id))).collect();
    lines.push(event(0, 100, &list(0..2)));
    lines.push(event(100, 100, "\tLl\t1\town"));
    check(&lines);
}

/// Lists around the number of elements from which on they are joined by a set;
/// values between the lists.
#[test]
fn joined_lists() {
    for count in [1, 31, 32, 33, 63, 64, 65, 100, 500] {
        let lines = [
            begin(1, 0, &list(0..count)),
            begin(2, 1, &list(count / 2..count + count / 2)),
            begin(3, 2, &list(0..count)),
            event(0, 3, &(list(0..1) + "\tSk0\t0")),
            event(1, 3, "\tLl\t3\town\town\te0"),
            event(2, 3, &(list(count / 2..count) + "\tLm\t2\tx\tx")),
            begin(5, 3, "\tLm\t3\tz\tx\tz\tLl\t1\ty"),
            begin(6, 5, &(list(0..2) + "\tLm\t2\tx\ty")),
            event(1, 6, "\tLm\t1\tz"),
            event(6, 6, ""),
            begin(4, 3, "\tSl\ttext"),
            event(1, 4, "\tLl\t2\te0\town"),
            event(4, 2, ""),
        ];
        check(&lines);
    }
}

/// More live events than a table keeps memory for, and indices that other events
/// take over, with other fields.
#[test]
fn events_take_the_places_of_others() {
    let mut lines = Vec::new();
    for round in 0..20 {
        for id in 1..=20 {
            let parent = if id % 3 == 0 { id - 1 } else { 0 };
            let own = format!("\tSk{}\t{round}\tSk0\t{id}", (id + round) % 7);
            lines.push(begin(id, parent, &own));
            lines.push(event(0, id, ""));
            let update = format!("UPDATE\t{id}\t{parent}\t1\t0\tSg1\t{round}\tSk0\t0");
            lines.push(update);
            lines.push(event(id, id, &fields("k", round..round + 2)));
        }
        let order: Vec<u32> = match round % 2 {
            0 => (1..=20).collect(),
            _ => (1..=20).rev().collect(),
        };
        for id in order {
            lines.push(format!("END\t{id}"));
            if id > 3 && round % 2 == 1 {
                lines.push(event(0, 3, ""));
            }
        }
    }
    check(&lines);
}
