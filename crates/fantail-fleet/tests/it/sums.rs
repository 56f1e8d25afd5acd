//! Sums of whole metrics.

use fantail_event::Dialect;
use fantail_fleet::{Question, Sum, SumLimits};
use fantail_metrics::{MetricSnapshot, Snapshot};
use proptest::prelude::*;

use crate::hosts::Host;

/// Each series with its numbers, sorted by labels.
fn contents(metric: &MetricSnapshot) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let mut all: Vec<String> = Vec::new();
    for series in metric.series().iter() {
        labels.truncate(series.depth());
        labels.push(format!("{:?}", series.label()));
        let numbers = series.distributions().iter().map(|one| {
            let (count, sum, min, max) = (one.count(), one.sum(), one.min(), one.max());
            format!(
                "{count} {sum} {min} {max} {} {}",
                one.median(),
                one.variance()
            )
        });
        all.push(format!("{labels:?} {:?}", numbers.collect::<Vec<_>>()));
    }
    all.sort();
    all
}

fn of_one(snapshot: &Snapshot) -> Vec<String> {
    snapshot.metrics().iter().flat_map(contents).collect()
}

proptest! {
    /// The sum of hosts is what one host would have counted, in any order.
    #[test]
    fn hosts_add_up(
        logins in prop::collection::vec((0_u8..4, 0_u8..3, 0_u8..12), 0..200),
        order in Just(vec![0_u8, 1, 2, 3]).prop_shuffle(),
    ) {
        let mut hosts: Vec<Host> = (0..4).map(Host::new).collect();
        let mut whole = Host::new(9);
        for (host, service, user) in &logins {
            let (service, user) = (format!("s{service}"), format!("user{user}"));
            hosts[usize::from(*host)].login(&service, &user);
            whole.login(&service, &user);
        }
        let mut sum = Sum::new(SumLimits::default());
        for host in order {
            let answer = hosts[usize::from(host)].answer(&Question::Metrics(None));
            sum.add(host.into(), answer).unwrap();
        }
        let series = sum.series();
        let summed = sum.finish();
        prop_assert_eq!(of_one(&summed.snapshot), of_one(&whole.registry.snapshot()));
        prop_assert_eq!(summed.snapshot.metrics()[0].series().len(), series);
        prop_assert_eq!((summed.hosts, summed.others.len()), (4, 0));
    }
}

#[test]
fn only_equal_definitions_are_added() {
    let mut sum = Sum::new(SumLimits::default());
    for number in 0..3 {
        let mut host = Host::new(number);
        host.login("imap", "anna");
        let mut answer = host.answer(&Question::Metrics(None));
        if number == 1 {
            let metric = &mut answer.metrics[0];
            metric.filter = b"event=other".to_vec();
            let settings = metric.metric.settings();
            metric.schema = fantail_fleet::SchemaId::of(Dialect::V2_4, settings, &metric.filter);
        }
        sum.add(number.into(), answer).unwrap();
    }
    let summed = sum.finish();
    let logins = &summed.snapshot.metrics()[0];
    assert_eq!(logins.series().get(0).unwrap().duration().count(), 2);
    assert_eq!(summed.sources, [(b"event=login".to_vec(), 2)]);
    let [other] = summed.others.as_slice() else {
        panic!("{summed:?}");
    };
    assert_eq!((&*other.metric, &*other.hosts), (&b"logins"[..], &[1][..]));
}

#[test]
fn a_host_with_too_many_series_is_left_out() {
    let mut sum = Sum::new(SumLimits { series: 10 });
    let mut small = Host::new(0);
    small.login("imap", "anna");
    let mut large = Host::new(1);
    (0..20).for_each(|user| large.login("imap", &format!("user{user}")));
    let question = Question::Metrics(None);
    assert!(sum.add(1, large.answer(&question)).is_err());
    sum.add(0, small.answer(&question)).unwrap();
    assert_eq!(
        of_one(&sum.finish().snapshot),
        of_one(&small.registry.snapshot())
    );
}
