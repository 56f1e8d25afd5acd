//! Another configuration for an engine that has counted.

use fantail_engine::{Engine, ObserverId};
use fantail_event::Dialect;
use fantail_exposition::dump;
use fantail_wire::Intake;

use crate::{Client, Recorded, settings};

const USERS: &str = "metric users {\n  filter = event=x\n  group_by = user\n}\n";
const OTHER: &str = "metric other {\n  filter = event=y\n}\n";

fn send(engine: &mut Engine, events: &[String]) {
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, Dialect::V2_3);
    let lines: Vec<&str> = events.iter().map(String::as_str).collect();
    client.play(&lines, (&mut intake, engine), &mut Recorded::default());
}

fn counts(engine: &Engine) -> Vec<String> {
    let mut table = Vec::new();
    let count = [dump::Column::parse(b"count")];
    dump::write_table(&engine.snapshot(), &count, &mut table);
    let text = String::from_utf8(table).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Fewer series than there are already, and some to be there from the start:
/// there is no room for these, but the metrics are the new ones, each with its
/// own filter.
#[test]
fn no_room_for_declared_series() {
    let before = settings(format!("{USERS}{OTHER}").as_bytes(), Dialect::V2_3);
    let mut engine = Engine::new(&before).unwrap();
    let event = |name: &str, user: &str| format!("EVENT\t0\t0\t0\t1\t0\tn{name}\tSuser\t{user}");
    let many: Vec<String> = (0..50).map(|user| event("x", &user.to_string())).collect();
    send(&mut engine, &many);

    let declaring = USERS.replace("}\n", "  declare = user:a,b\n}\n");
    let text = format!("fantail {{\n  series_per_metric = 10\n}}\n{OTHER}{declaring}");
    let after = settings(text.as_bytes(), Dialect::V2_3);
    engine.reconfigure(&after).unwrap();
    send(
        &mut engine,
        &[event("y", "a"), event("y", "a"), event("x", "7")],
    );
    let counts = counts(&engine);
    assert!(
        counts.contains(&"other\tduration\t2".to_owned()),
        "{counts:?}"
    );
    assert!(
        counts.contains(&"users\tduration\t51".to_owned()),
        "{counts:?}"
    );
    assert!(
        counts.contains(&"users_7\tduration\t2".to_owned()),
        "{counts:?}"
    );
}

const CATEGORIES: &str = "metric one {\n  filter = event=x AND category=one\n}\n\
                          metric two {\n  filter = event=x AND category=two\n}\n";

/// Observers that come and go change nothing for metrics, though the numbers of
/// category sets and slots begin anew.
#[test]
fn observers_between_events() {
    let settings = settings(CATEGORIES.as_bytes(), Dialect::V2_3);
    let mut engine = Engine::new(&settings).unwrap();
    let filters: Vec<_> = ["category=two", "user=anna AND NOT category=one"]
        .iter()
        .map(|filter| filter.parse().unwrap())
        .collect();
    let (mut intake, mut recorded) = (Intake::new(), Recorded::default());
    let mut client = Client::new(&mut intake, Dialect::V2_3);
    let one = "EVENT\t0\t0\t1\t5\t5\tnx\tcone\tSuser\tanna";
    let two = "EVENT\t0\t0\t1\t5\t5\tnx\tctwo\tSuser\tanna";
    let feed = (&mut intake, &mut engine);
    client.play(
        &["CATEGORY\tone", "CATEGORY\ttwo", one, two],
        feed,
        &mut recorded,
    );
    engine.observe(filters.clone());
    let feed = (&mut intake, &mut engine);
    client.play(&[two, two, one], feed, &mut recorded);
    engine.observe([]);
    client.play(&[one, two], (&mut intake, &mut engine), &mut recorded);
    engine.observe(filters);
    engine.reconfigure(&settings).unwrap();
    let feed = (&mut intake, &mut engine);
    client.play(&[two, two, two, one], feed, &mut recorded);
    assert_eq!(counts(&engine), ["one\tduration\t4", "two\tduration\t7"]);
    let observers: Vec<ObserverId> = recorded.observed.iter().map(|it| it.0).collect();
    let both = [ObserverId(0), ObserverId(1)];
    assert_eq!(observers, both.repeat(5));
}

#[test]
fn rules_of_a_metric_change_without_its_counts() {
    let before = settings(USERS.as_bytes(), Dialect::V2_3);
    let mut engine = Engine::new(&before).unwrap();
    let event = |user: &str| format!("EVENT\t0\t0\t0\t1\t0\tnx\tSuser\t{user}");
    send(&mut engine, &["a", "b"].map(event));
    let text = USERS.replace("}\n", "  expose = no\n  series_limit = 4\n}\n");
    let after = settings(text.as_bytes(), Dialect::V2_3);
    engine.reconfigure(&after).unwrap();
    send(&mut engine, &["b", "c"].map(event));
    assert_eq!(engine.snapshot().exposed_metrics().count(), 0);
    let expected = [
        "users\tduration\t4",
        "users_a\tduration\t1",
        "users_b\tduration\t2",
    ];
    assert_eq!(counts(&engine)[..3], expected);
    assert_eq!(counts(&engine)[3..], ["users_other\tduration\t1"]);
    engine.reconfigure(&before).unwrap();
    send(&mut engine, &["c"].map(event));
    assert_eq!(
        counts(&engine)[3..],
        ["users_other\tduration\t1", "users_c\tduration\t1"]
    );
    assert_eq!(engine.snapshot().exposed_metrics().count(), 1);
}
