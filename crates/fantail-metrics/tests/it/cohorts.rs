//! Cohorts: the counts equal those of metrics that are counted separately.

use std::time::Duration;

use fantail_event::{Dialect, Event};
use fantail_metrics::{MetricId, MetricSettings, Registry, internal::CohortId, state};
use proptest::{collection::vec, prelude::*};

use crate::fixture::{discrete, event_between, settings, table, with_sent};

const METRICS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Two registries; only one has cohorts.
struct Both {
    with: Registry,
    without: Registry,
    cohorts: Vec<(u8, CohortId)>,
}

#[derive(Debug, Clone)]
enum Step {
    /// Counts a number of events of a duration, for the metrics whose bits are
    /// set.
    Count(u8, u16, u64),
    Snapshot,
    Reset,
    Restore,
    DropIdle,
    Remove(u8),
    Replace(u8),
}

fn dumped(registry: &Registry) -> String {
    table(&registry.snapshot())
}

fn event(duration: u64) -> Event {
    let start = 1_700_000_000_000_000;
    let end = start + i64::try_from(duration).unwrap();
    event_between([start, end], Vec::new())
}

impl Both {
    fn new() -> Self {
        let registry = || {
            let mut registry = Registry::new(Dialect::V2_4);
            registry
                .add(settings("levels", "", &[("user", discrete())]))
                .unwrap();
            for name in METRICS {
                registry.add(settings(name, "", &[])).unwrap();
            }
            registry
        };
        Self {
            with: registry(),
            without: registry(),
            cohorts: Vec::new(),
        }
    }

    fn members(registry: &Registry, bits: u8) -> Vec<MetricId> {
        let names = (0..).zip(METRICS).filter(|(bit, _)| bits >> bit & 1 == 1);
        names
            .filter_map(|(_, name)| registry.id(name.as_bytes()))
            .collect()
    }

    fn count(&mut self, bits: u8, duration: u64) {
        let sent = event(duration);
        for id in Self::members(&self.without, bits) {
            with_sent(&sent, |sent| assert!(self.without.observe(id, sent)));
        }
        let known = self.cohorts.iter().find(|(of, _)| *of == bits);
        if known.is_some_and(|(_, id)| self.with.observe_cohort(*id, duration)) {
            return;
        }
        self.cohorts.retain(|(of, _)| *of != bits);
        let members = Self::members(&self.with, bits);
        let cohort = self.with.cohort(&members).unwrap();
        self.cohorts.push((bits, cohort));
        assert!(self.with.observe_cohort(cohort, duration));
    }

    fn both(&mut self, change: impl Fn(&mut Registry)) {
        change(&mut self.with);
        change(&mut self.without);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Count(bits, times, first) => {
                for time in 0..u64::from(times) {
                    self.count(bits, first + time * time % 1_009);
                }
            }
            // The next event finds all segments shared.
            Step::Snapshot => {
                let before = dumped(&self.with);
                let held = self.with.snapshot();
                self.count(31, 5);
                assert_eq!(table(&held), before);
            }
            Step::Reset => self.both(Registry::reset),
            Step::Restore => self.both(|registry| {
                let saved = state::write(&registry.snapshot(), |_| Vec::new());
                registry.reset();
                registry.restore(&state::read(&saved).unwrap(), |_, _| true);
            }),
            Step::DropIdle => self.both(|registry| {
                registry.drop_idle(Duration::from_secs(9), Duration::from_secs(1));
            }),
            Step::Remove(at) => self.both(|registry| {
                registry.remove(METRICS[usize::from(at)].as_bytes());
            }),
            Step::Replace(bits) => self.both(|registry| {
                let names = (0..).zip(METRICS).filter(|(bit, _)| bits >> bit & 1 == 1);
                let all: Vec<MetricSettings> =
                    names.map(|(_, name)| settings(name, "", &[])).collect();
                registry.replace_all(all, |_| true).unwrap();
            }),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..32_u8, 0..600_u16, 0..100_000_u64)
            .prop_map(|(bits, times, first)| Step::Count(bits, times, first)),
        2 => Just(Step::Snapshot),
        1 => Just(Step::Reset),
        1 => Just(Step::Restore),
        1 => Just(Step::DropIdle),
        1 => (0..5_u8).prop_map(Step::Remove),
        1 => (0..32_u8).prop_map(Step::Replace),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cohorts_count_like_separate_metrics(steps in vec(step(), 0..24)) {
        let mut both = Both::new();
        for step in &steps {
            both.step(step);
            prop_assert_eq!(dumped(&both.with), dumped(&both.without), "{:?}", step);
        }
    }
}

#[test]
fn only_metrics_with_durations_alone() {
    let mut registry = Registry::new(Dialect::V2_4);
    let plain = registry.add(settings("plain", "", &[])).unwrap();
    let fields = registry.add(settings("fields", "x", &[])).unwrap();
    let levels = registry
        .add(settings("levels", "", &[("x", discrete())]))
        .unwrap();
    let gone = registry.add(settings("gone", "", &[])).unwrap();
    assert!(registry.remove(b"gone"));
    for refused in [fields, levels, gone] {
        assert_eq!(registry.cohort(&[plain, refused]), None);
    }
    let cohort = registry.cohort(&[plain]).unwrap();
    assert!(registry.observe_cohort(cohort, 1));
    // Exemplars are kept for each metric separately.
    registry.keep_exemplars(Some(b"x"));
    assert!(!registry.observe_cohort(cohort, 1));
    assert_eq!(registry.cohort(&[plain]), None);
}

#[test]
fn there_are_only_so_many() {
    let mut registry = Registry::new(Dialect::V2_4);
    let ids: Vec<MetricId> = (0..1_000)
        .map(|at| registry.add(settings(&format!("m{at}"), "", &[])).unwrap())
        .collect();
    let few = (0..1_000).take_while(|_| registry.cohort(&ids[..2]).is_some());
    assert_eq!(few.count(), 256);
    assert!(registry.remove(b"m999"));
    let many = (0..1_000).take_while(|_| registry.cohort(&ids[..999]).is_some());
    assert_eq!(many.count(), 32);
}
