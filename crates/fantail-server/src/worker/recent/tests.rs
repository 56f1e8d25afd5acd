//! Tests of kept events: text, order and limits.

use std::time::Duration;

use fantail_event::{Ancestor, CategoryTree, Dialect, Event, LiveEvents, SentEvent, Timestamp};

use super::{RecentEvents, RecentLimits};

const AT: fn(i64) -> Timestamp = |seconds| Timestamp::from_unix_micros(seconds * 1_000_000);

fn event(text: &str) -> Event {
    Event::parse(text.as_bytes(), &CategoryTree::default(), Dialect::V2_4).unwrap()
}

fn recent(bytes: usize) -> RecentEvents {
    let age = Duration::from_secs(400);
    RecentEvents::new(RecentLimits { bytes, age }, AT(0))
}

/// Returns the kept lines with the texts of their ancestors.
fn kept(recent: &RecentEvents) -> Vec<String> {
    let mut lines = Vec::new();
    for segment in recent.snapshot(Vec::new()).segments {
        let mut offset = 0;
        while let Some((kept, behind)) = segment.next_event(offset) {
            offset = behind;
            let mut line = kept.line.escape_ascii().to_string();
            for (name, offsets) in ["parent", "global"].into_iter().zip(kept.ancestors()) {
                for offset in offsets {
                    let text = segment.ancestor(offset).unwrap().escape_ascii().to_string();
                    line += &format!(" {name}:{text}");
                }
            }
            lines.push(line);
        }
    }
    lines
}

/// A parent is stored once per segment, and again after each change.
#[test]
fn an_event_is_kept_with_what_it_inherits() {
    let mut live = LiveEvents::new();
    let user = live.insert(None, event("5\t0\tSuser\tanna").as_event_ref());
    let mailbox = live.insert(user.ok(), event("5\t0\tSbox\tINBOX").as_event_ref());
    let global = live.insert(None, event("5\t0\tSservice\timap").as_event_ref());
    let (mut mailbox, global) = (mailbox.unwrap(), global.unwrap());
    let mut recent = recent(1 << 20);
    let sent = event("5\t0\tnsent");
    for number in 0..3 {
        if number == 2 {
            let update = event("5\t0\tSbox\tSpam");
            mailbox = live.update(mailbox, update.as_event_ref()).unwrap();
        }
        let parents: Vec<Ancestor<'_>> = live.ancestors(Some(mailbox)).collect();
        let global: Vec<Ancestor<'_>> = live.ancestors(Some(global)).collect();
        let (parents, global) = (&*parents, &*global);
        let sent = SentEvent {
            parents,
            global,
            ..SentEvent::alone(&sent)
        };
        recent.keep(format!("line {number}").as_bytes(), &sent, AT(1));
    }
    let inherited = |line: &str, mailbox: &str| {
        format!(
            r"{line} parent:5\t0\tSbox\t{mailbox}\tIduration\t0 parent:5\t0\tSuser\tanna\tIduration\t0 global:5\t0\tSservice\timap\tIduration\t0"
        )
    };
    assert_eq!(
        kept(&recent),
        [
            inherited("line 0", "INBOX"),
            inherited("line 1", "INBOX"),
            inherited("line 2", "Spam"),
        ]
    );
    let texts: usize = kept(&recent).iter().map(String::len).sum();
    let [segment] = &*recent.snapshot(Vec::new()).segments else {
        panic!("not one segment")
    };
    assert!(segment.len() < texts, "{} of {texts} bytes", segment.len());
}

#[test]
fn what_has_no_name_is_not_kept() {
    let mut recent = recent(1 << 20);
    recent.keep(b"x", &SentEvent::alone(&event("5\t0\tSuser\tanna")), AT(1));
    assert_eq!(kept(&recent), [""; 0]);
    let mut none = self::recent(0);
    none.keep(b"x", &SentEvent::alone(&event("5\t0\tnsent")), AT(1));
    assert_eq!(kept(&none), [""; 0]);
}

/// The last events stay within the memory limit, and `complete_from` is correct.
#[test]
fn the_oldest_events_make_room() {
    let mut live = LiveEvents::new();
    let user = live.insert(None, event("5\t0\tSuser\tanna").as_event_ref());
    let user = user.unwrap();
    let sent = event("5\t0\tnsent");
    let mut recent = recent(40_000);
    for number in 0..10_000 {
        let parents: Vec<Ancestor<'_>> = live.ancestors(Some(user)).collect();
        let parents = &*parents;
        let sent = SentEvent {
            parents,
            ..SentEvent::alone(&sent)
        };
        recent.keep(number.to_string().as_bytes(), &sent, AT(number));
    }
    let snapshot = recent.snapshot(Vec::new());
    let bytes: usize = snapshot.segments.iter().map(|segment| segment.len()).sum();
    assert!((30_000..=40_000).contains(&bytes), "{bytes}");
    let lines = kept(&recent);
    let first = 10_000 - i64::try_from(lines.len()).unwrap();
    for (line, number) in lines.iter().zip(first..) {
        assert!(line.starts_with(&format!("{number} parent:")), "{line}");
    }
    assert_eq!(snapshot.complete_from, AT(first));
}

/// A snapshot can be read after the worker has dropped its segments.
#[test]
fn a_segment_that_is_read_does_not_change() {
    let mut recent = recent(4000);
    let sent = event("5\t0\tnsent");
    recent.keep(b"first", &SentEvent::alone(&sent), AT(0));
    for number in 1..100 {
        recent.keep(&[b'x'; 100], &SentEvent::alone(&sent), AT(number));
        if number == 10 {
            break;
        }
    }
    let before = recent.snapshot(Vec::new());
    for number in 11..1000 {
        recent.keep(&[b'y'; 100], &SentEvent::alone(&sent), AT(number));
    }
    let oldest = before.segments.first().unwrap();
    assert_eq!(oldest.next_event(0).unwrap().0.line, b"first");
    assert!(!kept(&recent).contains(&"first".to_owned()));
}

#[test]
fn old_events_are_dropped_also_from_a_quiet_server() {
    let mut recent = recent(1 << 20);
    let sent = event("5\t0\tnsent");
    for second in 0..=1000 {
        if second % 100 == 0 && second <= 500 {
            recent.keep(
                second.to_string().as_bytes(),
                &SentEvent::alone(&sent),
                AT(second),
            );
        }
        recent.tidy(AT(second));
        match second {
            400 => assert_eq!(kept(&recent), ["0", "100", "200", "300", "400"]),
            // The event at 200 shares a segment with the event at 300.
            650 => assert_eq!(kept(&recent).last().unwrap(), "500"),
            1000 => assert_eq!(kept(&recent), [""; 0]),
            _ => {}
        }
    }
    assert_eq!(recent.snapshot(Vec::new()).complete_from, AT(500));
}

/// An event that is larger than a segment is left out, and the others stay.
#[test]
fn an_event_that_is_larger_than_a_segment_is_counted() {
    let mut recent = recent(4000);
    let sent = event("5\t0\tnsent");
    recent.keep(b"small", &SentEvent::alone(&sent), AT(1));
    for _ in 0..10 {
        recent.keep(&[b'x'; 2000], &SentEvent::alone(&sent), AT(2));
    }
    recent.keep(b"next", &SentEvent::alone(&sent), AT(3));
    assert_eq!(kept(&recent), ["small", "next"]);
    assert_eq!(recent.snapshot(Vec::new()).left_out, 10);
}
