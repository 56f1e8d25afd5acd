//! Matching allocates nothing once the classes of the events were seen. A
//! program of its own, for an allocator of its own.

use fantail_event::{ElementSource, Elements, EventView, Ip, Level, Source, ValueRef};
use fantail_filter::{Filter, FilterSet, Matcher};
use fantail_testkit::allocator::{CountingAllocator, allocations};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A list of its own, which is built nowhere.
struct OneAndTwo;

impl ElementSource for OneAndTwo {
    fn any_element(&self, _list: u64, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        test(b"one") || test(b"two")
    }
}

struct Login {
    name: &'static str,
    user: &'static str,
    bytes: i64,
    ip: Ip,
    ratio: f64,
    level: Level,
}

impl EventView for Login {
    fn name(&self) -> Option<&[u8]> {
        Some(self.name.as_bytes())
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match key {
            b"user" => Some(ValueRef::Str(self.user.as_bytes())),
            b"bytes" => Some(ValueRef::Int(self.bytes)),
            b"ip" => Some(ValueRef::from(self.ip)),
            b"list" => Some(ValueRef::List(Elements::of(&OneAndTwo, 0))),
            b"ratio" => Some(ValueRef::Float(self.ratio)),
            b"total" => Some(ValueRef::Unsigned(u64::MAX)),
            b"tls" => Some(ValueRef::Bool(true)),
            _ => None,
        }
    }

    fn in_category(&self, category: &[u8]) -> bool {
        category == b"auth"
    }

    fn level(&self) -> Option<Level> {
        Some(self.level)
    }

    fn source(&self) -> Option<Source<'_>> {
        None
    }
}

const FILTERS: &[&str] = &[
    "event=login AND user=\"*@example.net\"",
    "event=log* AND NOT bytes>100",
    "bytes=4* OR bytes<0",
    "ip=10.0.0.0/8 AND category=auth",
    "ip=*.1 OR list=t*",
    "category=auth",
    "category=info AND NOT list=one",
    "missing=\"\" AND user=ann* AND list=two",
    "duration=5 OR source_location=x.c",
    "ratio>1 AND ratio<2",
    "event=login AND total>5",
    "ratio=1.* AND tls=yes",
];

#[test]
fn none_in_the_steady_state() {
    let filter = |text: String| text.parse::<Filter>().unwrap();
    let of_users = (0..2_000).map(|n| filter(format!("user=u{n} AND event=login")));
    let mut set: FilterSet = of_users.collect();
    let ids = FILTERS
        .iter()
        .map(|text| set.insert(&filter((*text).into())));
    let [first, ..] = ids.collect::<Vec<_>>()[..] else {
        panic!("there are filters");
    };
    let event = |name, user, bytes, level| Login {
        name,
        user,
        bytes,
        ip: Ip::parse(b"10.0.0.1").unwrap(),
        ratio: 1.5,
        level,
    };
    let events = [
        event("login", "ann@example.net", 42, Level::Info),
        event("login", "u77", 400, Level::Debug),
        event("logout", "U1999", -1, Level::Info),
        event("other", "bob", 7, Level::Info),
    ];
    let mut matcher = Matcher::new();
    let mut walk = || {
        let found = events
            .iter()
            .map(|event| matcher.matches(&set, event).len());
        found.sum::<usize>()
    };
    let matches = walk();
    assert!(matches > events.len());
    let before = allocations();
    for _ in 0..100 {
        assert_eq!(walk(), matches);
    }
    assert_eq!(allocations(), before);
    // The counter counts.
    assert_eq!(matcher.matches(&set, &events[0])[..1].to_vec(), [first]);
    assert_eq!(allocations(), before + 1);
}
