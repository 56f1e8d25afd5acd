//! Values that are looked up on all hosts.

use fantail_fleet::{
    Found, GroupLevel, LookUp, LookUpQuestion, Question, Sum, SumLimits, Wanted, look_up,
};

use crate::hosts::Host;

fn ask(hosts: &[Host], wanted: Wanted) -> (LookUp, usize) {
    let question = LookUpQuestion {
        metric: None,
        level: GroupLevel::Field(b"user".to_vec()),
        wanted,
    };
    let mut sum = Sum::new(SumLimits::default());
    for (at, host) in hosts.iter().enumerate() {
        let answer = host.answer(&Question::LookUp(question.clone()));
        sum.add(at, answer).unwrap();
    }
    let series = sum.series();
    let summed = sum.finish();
    let found = look_up(&summed.snapshot.metrics()[0], &question).unwrap();
    (found, series)
}

fn found(labels: [&str; 2], at_least: u64, at_most: Option<u64>) -> Found {
    Found {
        labels: labels.map(str::to_owned).to_vec(),
        at_least,
        at_most,
    }
}

fn exactly(value: &str) -> Wanted {
    Wanted::Values(vec![value.into()])
}

#[test]
fn only_the_series_of_the_value_are_sent() {
    let mut hosts: Vec<Host> = (0..3).map(Host::new).collect();
    for (at, host) in hosts.iter_mut().enumerate() {
        (0..100).for_each(|user| host.login("imap", &format!("user{user}")));
        (0..=at).for_each(|_| host.login("imap", "anna"));
    }
    hosts[1].login("pop3", "anna");
    let (looked_up, series) = ask(&hosts, exactly("anna"));
    let expected = [
        found(["imap", "anna"], 6, Some(6)),
        found(["pop3", "anna"], 1, Some(1)),
    ];
    assert_eq!(looked_up.found, expected);
    // The metric, two services, and the value in each.
    assert_eq!(series, 5);
    let (looked_up, _) = ask(&hosts, exactly("nobody"));
    assert_eq!(looked_up.found, []);
    let (looked_up, _) = ask(&hosts, Wanted::Prefix(b"user1".to_vec()));
    assert_eq!(looked_up.found.len(), 11);
}

/// A host that is full counts a new value in `other`.
#[test]
fn other_is_the_upper_bound() {
    let mut roomy = Host::new(0);
    let mut full = Host::with_limit(1, 6);
    for host in [&mut roomy, &mut full] {
        (0..9).for_each(|user| host.login("imap", &format!("user{user}")));
        (0..4).for_each(|_| host.login("imap", "zoe"));
    }
    let (looked_up, _) = ask(&[roomy, full], exactly("zoe"));
    let other = looked_up.other;
    assert!(other >= 4, "{looked_up:?}");
    assert_eq!(
        looked_up.found,
        [found(["imap", "zoe"], 4, Some(4 + other))]
    );
}

#[test]
fn a_user_called_other_is_a_user() {
    let mut host = Host::new(0);
    host.login("imap", "other");
    let (looked_up, _) = ask(&[host], exactly("other"));
    assert_eq!(looked_up.found, [found(["imap", "other"], 1, Some(1))]);
    assert_eq!(looked_up.other, 0);
}

#[test]
fn long_values_are_found_by_their_text() {
    let long = format!("{}x", "a".repeat(400));
    let mut host = Host::new(0);
    host.login("imap", &long);
    host.login("imap", &format!("{}y", "a".repeat(400)));
    let (looked_up, _) = ask(&[host], exactly(&long));
    assert_eq!(looked_up.found.len(), 1);
}

#[test]
fn dropped_series_leave_no_upper_bound() {
    let mut host = Host::new(0);
    host.login("imap", "anna");
    host.drop_idle();
    host.login("imap", "anna");
    let (looked_up, _) = ask(&[host], exactly("anna"));
    assert!(looked_up.has_dropped);
    assert_eq!(looked_up.found, [found(["imap", "anna"], 1, None)]);
}
