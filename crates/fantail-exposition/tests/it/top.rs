//! Heavy hitters in scrapes and dumps.

use fantail_event::ValueRef;
use fantail_exposition::{
    ExpositionOptions, Format,
    dump::{self, Column, Names},
};
use fantail_metrics::{Limits, MetricSettings, Snapshot, Top};

use crate::{
    exposition::answer,
    hostile::{metric, played},
};

/// Returns metrics of the most frequent users, and of those with the most bytes.
fn snapshot() -> Snapshot {
    let with = |name: &str, top: Top| MetricSettings {
        description: Vec::new(),
        top: Some(top.sized(2, 64).unwrap()),
        ..metric(name, &[], &[])
    };
    let bytes = Top::new("user").weighted(Some(b"bytes".to_vec()));
    let metrics = vec![with("logins", Top::new("user")), with("traffic", bytes)];
    let event = |user: &'static str, bytes: i64| {
        let user = ("user", ValueRef::from(user));
        vec![user, ("bytes", ValueRef::Int(bytes))]
    };
    let mut events = vec![event("a\"b", 7), event("a\"b", 5), event("c\td", 100)];
    events.extend([event("e", 1), event("c\td", 1), event("c\td", 0)]);
    // More values than counters: a quarter of them, of weight 1, is evicted twice.
    let others: Vec<String> = (0..90).map(|number| format!("u{number}")).collect();
    let others: &'static [String] = others.leak();
    events.extend(others.iter().map(|user| event(user, 1)));
    events.push(event("e", 20));
    played(metrics, Limits::default(), events)
}

fn lines_with(text: &str, part: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.contains(part));
    lines.map(str::to_owned).collect()
}

#[test]
fn scrapes_state_the_error_of_each_value() {
    let snapshot = snapshot();
    let (text, left_out) = answer(&snapshot, ExpositionOptions::new(Format::OpenMetrics));
    assert_eq!(left_out, []);
    let expected = [
        "# HELP dovecot_traffic_top Sum of bytes of the most frequent values, at least, of the \
         metric traffic",
        "# TYPE dovecot_traffic_top gauge",
        "dovecot_traffic_top{user=\"c\td\"} 101",
        "dovecot_traffic_top{user=\"e\"} 20",
        "# HELP dovecot_traffic_top_error Sum of bytes of the most frequent values that may be \
         missing in the top of the metric traffic",
        "# TYPE dovecot_traffic_top_error gauge",
        "dovecot_traffic_top_error{user=\"c\td\"} 0",
        "dovecot_traffic_top_error{user=\"e\"} 1",
        "# HELP dovecot_traffic_top_others Sum of bytes of any other value, at most, of the \
         metric traffic",
        "# TYPE dovecot_traffic_top_others gauge",
        "dovecot_traffic_top_others 12",
        "# HELP dovecot_traffic_top_weight Sum of bytes of all values of the metric traffic",
        "# TYPE dovecot_traffic_top_weight counter",
        "dovecot_traffic_top_weight_total 224",
    ];
    assert_eq!(lines_with(&text, "dovecot_traffic_top"), expected);
    let events = lines_with(&text, "dovecot_logins_top{");
    let expected = [
        "dovecot_logins_top{user=\"c\td\"} 3",
        "dovecot_logins_top{user=\"a\\\"b\"} 2",
    ];
    assert_eq!(events, expected);
    // All events, as without heavy hitters.
    assert!(text.contains("\ndovecot_logins_total 97\n"), "{text}");
    let (text, _) = answer(&snapshot, ExpositionOptions::new(Format::Prometheus));
    assert!(
        text.contains("\ndovecot_logins_top_weight_total 97\n"),
        "{text}"
    );
}

#[test]
fn dumps_have_a_line_for_each_value() {
    let snapshot = snapshot();
    let columns = ["count", "sum", "min", "max", "avg"].map(|name| Column::parse(name.as_bytes()));
    let mut table = Vec::new();
    dump::write_table(&snapshot, &columns, &mut table);
    let table = String::from_utf8(table).unwrap();
    let expected = [
        "logins\tuser=c\u{FFFD}09d\t3\t3\t3\t3\t",
        "logins\tuser=a\"b\t2\t2\t2\t2\t",
        "traffic\tuser=c\u{FFFD}09d\t\t101\t101\t101\t",
        "traffic\tuser=e\t\t20\t20\t21\t",
    ];
    assert_eq!(lines_with(&table, "user="), expected);
    let lines = dump::lines(&snapshot, &columns, Names::Full).map(|line| {
        let names = [line.metric, line.field].map(|name| String::from_utf8(name).unwrap());
        format!("{}\t{}", names.join("\t"), line.values.join("\t"))
    });
    let lines: Vec<String> = lines.filter(|line| line.contains("user=")).collect();
    assert_eq!(lines, expected);
}

/// As `doveadm` reads the answer: fields after the columns of the duration.
#[test]
fn answers_have_them_as_fields() {
    let mut answer = Vec::new();
    dump::write_answer(&snapshot(), &[Column::Sum, Column::Max], &mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let traffic = answer.lines().nth(1).unwrap();
    let expected = "traffic\t0\t0\tuser=c\u{FFFD}09d\t101\t101\tuser=e\t20\t21";
    assert_eq!(traffic, expected);
    let mut counts = Vec::new();
    dump::write_answer(&snapshot(), &[Column::Count], &mut counts);
    let expected = "logins\t97\tuser=c\u{FFFD}09d\t3\tuser=a\"b\t2\n";
    assert!(String::from_utf8(counts).unwrap().starts_with(expected));
}
