//! The values with the largest numbers, compared with those of all events.

use std::collections::HashMap;

use fantail_fleet::{GroupLevel, Question, Rank, TopQuery, TopQuestion, TopValues};
use proptest::prelude::*;

use crate::hosts::Host;

fn question(count: usize) -> TopQuestion {
    TopQuestion {
        metric: b"logins".to_vec(),
        level: GroupLevel::Field(b"user".to_vec()),
        rank: Rank::Events,
        count,
    }
}

/// Asks all hosts in two rounds; `is_there` says which hosts answer the second question.
fn ask(hosts: &[Host], question: TopQuestion, candidates: usize, is_there: &[bool]) -> TopValues {
    let mut query = TopQuery::new(question, candidates);
    let first = query.first();
    for (at, host) in hosts.iter().enumerate() {
        assert!(query.add_first(at, host.answer(&first)), "host {at}");
    }
    for (at, question) in query.second() {
        assert!(question.to_query().len() < 8 << 10, "{question:?}");
        if is_there[at] {
            let answer = hosts[at].answer(&question);
            assert!(query.add_second(at, &question, &answer), "host {at}");
        }
    }
    query.finish()
}

proptest! {
    /// All bounds hold, and an answer that calls itself exact is.
    #[test]
    fn bounds_hold(
        logins in prop::collection::vec((0_usize..5, 0_u8..2, 0_u32..60), 0..400),
        count in 1_usize..6,
        candidates in 1_usize..12,
        limit in prop::option::of(10_usize..40),
        is_there in prop::collection::vec(prop::bool::weighted(0.8), 5),
    ) {
        let limit = limit.unwrap_or(usize::MAX);
        let mut hosts: Vec<Host> = (0..5).map(|host| Host::with_limit(host, limit)).collect();
        let mut truth: HashMap<String, u128> = HashMap::new();
        for (host, service, user) in logins {
            // The lower numbers are more frequent.
            let user = format!("user{}", user * user / 60);
            hosts[host].login(if service == 0 { "imap" } else { "pop3" }, &user);
            *truth.entry(user).or_default() += 1;
        }
        let top = ask(&hosts, question(count), candidates, &is_there);
        let number = |value: &str| truth.get(value).copied().unwrap_or(0);
        for row in &top.rows {
            let right = number(&row.value);
            prop_assert!(row.at_least <= right && right <= row.at_most.unwrap(), "{:?}", row);
        }
        for (value, right) in &truth {
            if !top.rows.iter().any(|row| row.value == *value) {
                prop_assert!(*right <= top.unlisted.unwrap(), "{} of {:?}", value, top);
            }
        }
        if top.is_exact() {
            let mut expected: Vec<u128> = truth.values().copied().collect();
            expected.sort_unstable_by(|one, other| other.cmp(one));
            expected.truncate(count);
            let numbers: Vec<u128> = top.rows.iter().map(|row| row.at_least).collect();
            prop_assert_eq!(numbers, expected);
        }
    }
}

/// The largest of all is on no host among the first.
#[test]
fn a_value_that_is_second_everywhere_wins() {
    let mut hosts: Vec<Host> = (0..3).map(Host::new).collect();
    for (at, host) in hosts.iter_mut().enumerate() {
        for _ in 0..10 {
            host.login("imap", &format!("local{at}"));
        }
        for _ in 0..8 {
            host.login("imap", "anna");
        }
        for user in 0..20 {
            host.login("imap", &format!("rare{at}-{user}"));
        }
    }
    let top = ask(&hosts, question(1), 2, &[true; 3]);
    let [row] = top.rows.as_slice() else {
        panic!("{top:?}");
    };
    assert_eq!(
        (&*row.value, row.at_least, row.at_most),
        ("anna", 24, Some(24))
    );
    assert!(top.is_exact(), "{top:?}");
    // With one value of each host, the bounds leave room for another one.
    let top = ask(&hosts, question(1), 1, &[true; 3]);
    assert_eq!(
        top.unlisted,
        Some(30),
        "three hosts have others with up to 10"
    );
    assert_eq!(top.error(), Some(20));
}

#[test]
fn sums_of_fields_rank_too() {
    let mut hosts: Vec<Host> = (0..2).map(Host::new).collect();
    for host in &mut hosts {
        host.login("imap", "a");
        host.login("imap", "a");
        host.login("pop3", "a-long-name");
    }
    let by_bytes = TopQuestion {
        rank: Rank::Sum(b"bytes".to_vec()),
        ..question(1)
    };
    let top = ask(&hosts, by_bytes, 10, &[true; 2]);
    assert_eq!(
        (&*top.rows[0].value, top.rows[0].at_least),
        ("a-long-name", 22)
    );
    assert!(top.is_exact());
    let by_service = TopQuestion {
        level: GroupLevel::Number(1),
        ..question(1)
    };
    let top = ask(&hosts, by_service, 10, &[true; 2]);
    assert_eq!((&*top.rows[0].value, top.rows[0].at_least), ("imap", 4));
}

#[test]
fn hosts_without_the_metric_or_level_are_named() {
    let host = Host::new(0);
    for wrong in [
        TopQuestion {
            metric: b"x".to_vec(),
            ..question(1)
        },
        TopQuestion {
            level: GroupLevel::Number(3),
            ..question(1)
        },
        TopQuestion {
            rank: Rank::Sum(b"x".to_vec()),
            ..question(1)
        },
    ] {
        let mut query = TopQuery::new(wrong, 10);
        let first = query.first();
        assert!(!query.add_first(0, host.answer(&first)), "{first:?}");
    }
}

#[test]
fn dropped_series_leave_no_upper_bound() {
    let mut host = Host::new(0);
    host.login("imap", "anna");
    host.drop_idle();
    host.login("imap", "anna");
    let top = ask(&[host], question(1), 10, &[true]);
    assert_eq!((top.error(), top.unlisted), (None, None));
}

/// Many candidates are asked for in several questions.
#[test]
fn questions_fit_into_the_head_of_a_request() {
    let mut hosts: Vec<Host> = (0..2).map(Host::new).collect();
    for (at, host) in hosts.iter_mut().enumerate() {
        for user in 0..400 {
            host.login("imap", &format!("{}-{at}-{user}", "\u{e4}".repeat(20)));
        }
    }
    let mut query = TopQuery::new(question(200), 200);
    let first = query.first();
    for (at, host) in hosts.iter().enumerate() {
        query.add_first(at, host.answer(&first));
    }
    let second = query.second();
    assert!(second.len() > 4, "{} questions", second.len());
    for (_, question) in second {
        let Question::LookUp(_) = &question else {
            panic!("{question:?}");
        };
        assert!(question.to_query().len() < 8 << 10);
    }
}
