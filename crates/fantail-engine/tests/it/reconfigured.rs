//! Another configuration for an engine that has counted.

use fantail_engine::{Engine, ExporterId};
use fantail_event::{CategoryTree, Dialect};
use fantail_metrics::dump;
use fantail_wire::{Connection, Limits};

use crate::{MOMENT, settings};

const USERS: &str = "metric users {\n  filter = event=x\n  group_by = user\n}\n";
const OTHER: &str = "metric other {\n  filter = event=y\n}\n";

fn send(engine: &mut Engine, events: &[String]) {
    let mut connection = Connection::new(Dialect::V2_3, Limits::default());
    let mut categories = CategoryTree::default();
    let mut sink = |_: ExporterId, _: &[u8]| {};
    let greeting = "VERSION\tstats-client\t4\t0".to_owned();
    for line in std::iter::once(&greeting).chain(events) {
        let handled = connection.handle(line.as_bytes(), &mut categories, |sent| {
            engine.handle(sent, MOMENT, &mut sink);
        });
        handled.unwrap();
    }
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
