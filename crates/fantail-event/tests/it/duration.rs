//! The field `duration`: its value is that of the sending, its position the first
//! that the key has from the outermost ancestor down, else the last.

use fantail_event::{
    Ancestor, CategoryTree, DURATION, Dialect, EffectiveBuffers, Event, EventRef, EventView as _,
    Level, LiveEvents, Parser, SentEvent, Timestamp, ValueOrigin, ValueRef,
};

use super::{ancestors, event_of, text};

/// Compares the fields of an event with these parents, nearest first; each sent
/// 7 microseconds after it was created.
#[track_caller]
fn check(own: EventRef<'_>, parents: &[Ancestor<'_>], expected: &str) {
    let sent = SentEvent {
        parents,
        ..SentEvent::alone(own)
    };
    let mut buffers = EffectiveBuffers::new();
    let effective = buffers.gather(&sent);
    let mut found = Vec::new();
    effective.each_field(|key, value| {
        let value = match value {
            ValueRef::Str(value) => text(value),
            ValueRef::Int(number) => number.to_string(),
            other => panic!("{other:?}"),
        };
        found.push(format!("{}={value}", text(key)));
    });
    assert_eq!(found.join(" "), expected);
    // By key it is never inherited.
    assert_eq!(effective.field(DURATION), Some(ValueRef::Int(7)));
    assert_eq!(sent.field(DURATION), Some(ValueRef::Int(7)));
    assert_eq!(sent.field_origin(DURATION), Some(ValueOrigin::Own));
    assert_eq!(sent.duration_micros(), Some(7));
}

fn event(arguments: &str) -> Event {
    let mut event = event_of(arguments, CategoryTree::empty());
    let sent = event_of("l1 7", CategoryTree::empty());
    let created = Event::parse(b"1\t0", CategoryTree::empty(), Dialect::V2_4);
    event.merge(sent.as_event_ref()).unwrap();
    event.merge(created.unwrap().as_event_ref()).unwrap();
    event
}

#[test]
fn nobody_has_it() {
    check(event("Sa 1 Sb 2").as_event_ref(), &[], "a=1 b=2 duration=7");
    check(event("").as_event_ref(), &[], "duration=7");
    let parents = [event("Sb 3 Sc 4")];
    let expected = "b=2 c=4 a=1 duration=7";
    check(
        event("Sa 1 Sb 2").as_event_ref(),
        &ancestors(&parents),
        expected,
    );
}

#[test]
fn an_own_field_gives_the_position_and_not_the_value() {
    for own in ["Sa 1 Sduration long Sb 2", "Sa 1 Iduration 99 Sb 2"] {
        check(event(own).as_event_ref(), &[], "a=1 duration=7 b=2");
        let parents = [event("Sc 3")];
        let expected = "c=3 a=1 duration=7 b=2";
        check(event(own).as_event_ref(), &ancestors(&parents), expected);
    }
}

#[test]
fn a_parent_gives_the_position_too() {
    let parents = [event("Sc 3 Iduration 99 Sd 4")];
    let expected = "c=3 duration=7 d=4 a=1";
    check(event("Sa 1").as_event_ref(), &ancestors(&parents), expected);
    // The outermost, if several have it.
    let parents = [event("Sc 3 Iduration 99"), event("Iduration 98 Sd 4")];
    let own = event("Iduration 1 Sa 1");
    let expected = "duration=7 d=4 c=3 a=1";
    check(own.as_event_ref(), &ancestors(&parents), expected);
}

/// A live event keeps the duration with which it began; one that a program made
/// has none.
#[test]
fn live_parents_have_it_and_made_ones_do_not() {
    let parent = event("Sc 3");
    let mut live = LiveEvents::new();
    let id = live.insert(None, parent.as_event_ref()).unwrap();
    let kept = live.get(id).unwrap();
    assert_eq!(kept.field(DURATION), Some(ValueRef::Int(7)));
    let parents: Vec<Ancestor<'_>> = live.ancestors(Some(id)).collect();
    let own = event("Sa 1");
    check(own.as_event_ref(), &parents, "c=3 duration=7 a=1");

    let made = Event::builder(Timestamp::from_unix_micros(1_000_000))
        .field("c", "3")
        .sent(Timestamp::from_unix_micros(1_000_500))
        .build()
        .unwrap();
    assert_eq!(made.as_event_ref().field(DURATION), None);
    let parents = [made];
    check(
        own.as_event_ref(),
        &ancestors(&parents),
        "c=3 a=1 duration=7",
    );
}

/// A live event may have a field of that name; the copy has the duration there.
#[test]
fn a_live_event_with_a_field_of_that_name() {
    let parent = event("Sduration long Sc 3");
    let mut live = LiveEvents::new();
    let id = live.insert(None, parent.as_event_ref()).unwrap();
    let parents: Vec<Ancestor<'_>> = live.ancestors(Some(id)).collect();
    let own = event("Sa 1");
    check(own.as_event_ref(), &parents, "duration=7 c=3 a=1");
    let id = live
        .update(id, event("Sduration again").as_event_ref())
        .unwrap();
    let parents: Vec<Ancestor<'_>> = live.ancestors(Some(id)).collect();
    check(own.as_event_ref(), &parents, "duration=7 c=3 a=1");
}

/// With more fields than are found by bits and bytes, and with keys that are
/// named again.
#[test]
fn many_fields_and_repeated_keys() {
    let many = |range: std::ops::Range<u32>| {
        let fields = range.map(|n| format!("Sk{n} {n}"));
        fields.collect::<Vec<_>>().join(" ")
    };
    let shown = |range: std::ops::Range<u32>| {
        let fields = range.map(|n| format!("k{n}={n}"));
        fields.collect::<Vec<_>>().join(" ")
    };
    let own = event(&many(0..200));
    let last = format!("{} duration=7", shown(0..200));
    check(own.as_event_ref(), &[], &last);
    check(own.as_event_ref(), &ancestors(&[event("")]), &last);
    let own = event(&format!("{} Sduration x {}", many(0..100), many(100..200)));
    let within = format!("{} duration=7 {}", shown(0..100), shown(100..200));
    check(own.as_event_ref(), &[], &within);
    let parents = [event("Sp 1 Iduration 2")];
    let expected = format!("p=1 duration=7 {}", shown(0..200));
    check(own.as_event_ref(), &ancestors(&parents), &expected);

    // As it comes from the parser: not yet without repetition.
    let mut parser = Parser::new();
    let line = b"1\t0\tl1\t7\tSa\t1\tSduration\tx\tSa\t2\tSduration\ty\tSb\t3";
    let parsed = parser.parse(line, CategoryTree::empty(), Dialect::V2_4);
    let parsed = parsed.unwrap();
    check(parsed, &[], "a=2 duration=7 b=3");
    check(parsed, &ancestors(&[event("Sb 1")]), "b=3 a=2 duration=7");
    // And as an ancestor, which is no live event.
    let parents = [parsed.to_event()];
    check(
        event("Sc 1").as_event_ref(),
        &ancestors(&parents),
        "a=2 duration=7 b=3 c=1",
    );
}

#[test]
fn the_level_changes_nothing() {
    let own = event("Sa 1");
    for level in Level::ALL {
        let sent = SentEvent {
            level,
            ..SentEvent::alone(&own)
        };
        assert_eq!(sent.field(DURATION), Some(ValueRef::Int(7)));
    }
}
