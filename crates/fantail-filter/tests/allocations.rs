//! Matching allocates nothing once the classes of the events were seen. A
//! program of its own, for an allocator of its own.

#![allow(unsafe_code, reason = "an allocator that counts is one")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use fantail_event::{ElementSource, Elements, EventView, Ip, Level, Source, ValueRef};
use fantail_filter::{Filter, FilterSet, Matcher};

/// The system's allocator, counting for each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; the counter is beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let before = COUNT.get();
    for _ in 0..100 {
        assert_eq!(walk(), matches);
    }
    assert_eq!(COUNT.get(), before);
    // The counter counts.
    assert_eq!(matcher.matches(&set, &events[0])[..1].to_vec(), [first]);
    assert_eq!(COUNT.get(), before + 1);
}
