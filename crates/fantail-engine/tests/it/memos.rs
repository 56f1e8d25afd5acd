//! What an engine remembers of ancestors is never believed of other events.

use fantail_engine::Engine;
use fantail_event::{Activity, Ancestor, CategoryTree, Dialect, Event, LiveEvents, SentEvent};
use fantail_fuzz::ByKey;
use fantail_wire::{Connection, Intake, Limits};

use super::{CONTEXT, GREETING, Recorded, settings, table};

const METRICS: &str = "
event_exporter tab {
  driver = drop
  format = tab-text
}
metric anna {
  filter = user=anna
  exporter = tab
}
metric berta {
  filter = user=berta
  exporter = tab
}
metric one {
  filter = category=one AND NOT category=two
}
metric listed {
  filter = list=a OR list=z
  group_by list {
  }
  group_by other {
  }
}
metric all {
  filter = event=*
  exporter = tab
  fields = user other list
}
";

/// An engine that remembers, and one that asks by key.
struct Engines {
    slots: Engine,
    keys: Engine,
    recorded: [Recorded; 2],
}

impl Engines {
    fn new() -> Self {
        let settings = settings(METRICS.as_bytes(), Dialect::V2_4);
        let filters = settings.metrics.iter().map(|metric| metric.filter.clone());
        let engine = || {
            let mut engine = Engine::new(&settings).unwrap();
            engine.observe(filters.clone());
            engine
        };
        Self {
            slots: engine(),
            keys: engine(),
            recorded: Default::default(),
        }
    }

    #[track_caller]
    fn step(&mut self, activity: &Activity<'_>) {
        let [slots, keys] = &mut self.recorded;
        self.slots.step(activity, CONTEXT, slots);
        if let Activity::Sent { event, .. } = activity {
            self.keys.handle(&ByKey(event), CONTEXT, keys);
        }
        assert_eq!(slots, keys);
    }

    #[track_caller]
    fn sent(&mut self, event: SentEvent<'_>) {
        self.step(&Activity::Sent { event, begun: None });
    }

    #[track_caller]
    fn finish(self) -> String {
        let [slots, keys] = [self.slots, self.keys].map(|engine| table(&engine.snapshot()));
        assert_eq!(slots, keys);
        slots
    }
}

/// A connection with its own intake.
struct Feed {
    intake: Intake,
    connection: Connection,
}

impl Feed {
    fn new(categories: &[&str]) -> Self {
        let mut feed = Self {
            intake: Intake::new(),
            connection: Connection::new(Dialect::V2_4, Limits::default()),
        };
        let mut engines = Engines::new();
        feed.play(&mut engines, &[GREETING]);
        for name in categories {
            feed.play(&mut engines, &[&format!("CATEGORY\t{name}")]);
        }
        feed
    }

    #[track_caller]
    fn play(&mut self, engines: &mut Engines, lines: &[&str]) {
        for line in lines {
            let handled = self
                .connection
                .handle(line.as_bytes(), &mut self.intake, |activity| {
                    engines.step(&activity);
                });
            assert_eq!(handled, Ok(()), "{line}");
        }
    }
}

const SENT: &str = "EVENT\t0\t1\t1\t5\t5\tnx";

#[test]
fn another_event_at_the_same_index() {
    let (mut feed, mut engines) = (Feed::new(&["one", "two"]), Engines::new());
    for begin in [
        "BEGIN\t1\t0\t1\t5\t5\tcone\tSuser\tanna",
        "BEGIN\t1\t0\t1\t5\t5\tctwo\tSother\tx\tSuser\tberta",
        "BEGIN\t1\t0\t1\t5\t5\tLlist\t2\ta\tb",
        "BEGIN\t1\t0\t1\t5\t5",
        "BEGIN\t1\t0\t1\t5\t5\tSx\t1\tSy\t2\tSuser\tanna",
    ] {
        feed.play(&mut engines, &[begin, SENT, SENT, "END\t1"]);
    }
    assert!(feed.intake.live_events().is_empty());
    let dump = engines.finish();
    assert!(dump.contains("\nanna\tduration\t6"), "{dump}");
    assert!(dump.contains("\nberta\tduration\t3"), "{dump}");
}

/// As when events end while the engine is not told of it.
#[test]
fn ends_that_an_engine_does_not_hear_of() {
    let (mut feed, mut engines) = (Feed::new(&[]), Engines::new());
    for user in ["anna", "berta", "anna"] {
        let begin = format!("BEGIN\t1\t0\t1\t5\t5\tSother\t{user}\tSuser\t{user}");
        feed.play(&mut engines, &[&begin, SENT]);
        let ended = feed.connection.handle(b"END\t1", &mut feed.intake, |_| {});
        assert_eq!(ended, Ok(()));
    }
    engines.finish();
}

#[test]
fn updates_change_slots_and_categories() {
    let (mut feed, mut engines) = (Feed::new(&["one", "two"]), Engines::new());
    feed.play(&mut engines, &["BEGIN\t1\t0\t1\t5\t5\tcone\tSuser\tanna"]);
    for update in [
        "UPDATE\t1\t0\t5\t5\tcone\tSuser\tberta",
        "UPDATE\t1\t0\t5\t5\tSother\tx",
        "UPDATE\t1\t0\t5\t5\tctwo\tcone\tLlist\t1\ta",
        "UPDATE\t1\t0\t5\t5\tcone\tSlist\ttext\tSuser\t",
        "UPDATE\t1\t0\t5\t5\tcone\tSuser\tanna\tLlist\t1\tz",
    ] {
        feed.play(&mut engines, &[SENT, update, SENT]);
    }
    let dump = engines.finish();
    assert!(dump.contains("\nanna\tduration\t3"), "{dump}");
}

/// Their live events have the same indices and wire ids, and their categories
/// the same numbers with other names.
#[test]
fn two_intakes_fed_alternately() {
    let mut feeds = [Feed::new(&["one", "two"]), Feed::new(&["two", "one"])];
    let mut engines = Engines::new();
    let begins = [
        "BEGIN\t1\t0\t1\t5\t5\tcone\tSuser\tanna\tLlist\t1\ta",
        "BEGIN\t1\t0\t1\t5\t5\tctwo\tSother\tx\tSuser\tberta",
    ];
    for (feed, begin) in feeds.iter_mut().zip(begins) {
        feed.play(&mut engines, &[begin]);
    }
    for round in 0..20 {
        for feed in &mut feeds {
            let child = "BEGIN\t2\t1\t1\t5\t5\tctwo";
            let below = "EVENT\t1\t2\t1\t5\t5\tnx\tSother\ty";
            match round % 3 {
                0 => feed.play(&mut engines, &[SENT]),
                1 => feed.play(&mut engines, &[child, below, "END\t2"]),
                _ => feed.play(&mut engines, &["UPDATE\t1\t0\t5\t5\tcone", SENT]),
            }
        }
    }
    let [mut first, mut second] = feeds;
    first.play(&mut engines, &[SENT, "END\t1"]);
    second.play(&mut engines, &[SENT, "END\t1"]);
    engines.finish();
}

fn event(arguments: &str, tree: &CategoryTree) -> Event {
    let line = format!("5\t5\t{arguments}").replace(' ', "\t");
    Event::parse(line.as_bytes(), tree, Dialect::V2_4).unwrap()
}

/// Two tables may each have a live event at the same index.
#[test]
fn ancestors_from_two_tables() {
    let tree = CategoryTree::default();
    let own = event("nx", &tree);
    let (mut one, mut other) = (LiveEvents::new(), LiveEvents::new());
    let anna = event("Sother x Suser anna", &tree);
    let list = event("Llist 1 a Sx 1 Sother y", &tree);
    let anna = one.insert(None, anna.as_event_ref()).unwrap();
    let list = other.insert(None, list.as_event_ref()).unwrap();
    assert_eq!(anna.index(), list.index());
    let [anna, list]: [Vec<Ancestor<'_>>; 2] = [
        one.ancestors(Some(anna)).collect(),
        other.ancestors(Some(list)).collect(),
    ];
    let mut engines = Engines::new();
    for (parents, global) in [(&anna, &list), (&list, &anna), (&anna, &anna)] {
        for _ in 0..2 {
            engines.sent(SentEvent {
                parents,
                global,
                categories: &tree,
                ..SentEvent::alone(&own)
            });
        }
    }
    let dump = engines.finish();
    assert!(dump.contains("\nanna\tduration\t6"), "{dump}");
    assert!(dump.contains("\nlisted\tduration\t4"), "{dump}");
}

/// Ancestors that are no live events are looked up anew for each event.
#[test]
fn ancestors_without_a_number() {
    let tree = CategoryTree::default();
    let mut engines = Engines::new();
    let own = event("nx", &tree);
    for (line, last) in [
        ("Suser berta Sother x Suser anna", "anna"),
        ("Suser anna Suser berta", "berta"),
        ("Llist 1 a Suser x Llist 1 z Suser anna", "anna"),
    ] {
        let parent = event(line, &tree);
        let parents = [Ancestor {
            event: &parent,
            live: None,
        }];
        engines.sent(SentEvent {
            parents: &parents,
            categories: &tree,
            ..SentEvent::alone(&own)
        });
        let (_, payload) = engines.recorded[0].exports.last().unwrap();
        let payload = payload.escape_ascii().to_string();
        assert!(payload.contains(&format!("user={last}")), "{payload}");
    }
    let dump = engines.finish();
    assert!(dump.contains("\nanna\tduration\t2"), "{dump}");
    assert!(dump.contains("\nberta\tduration\t1"), "{dump}");
    assert!(!dump.contains("listed_a"), "{dump}");
}
