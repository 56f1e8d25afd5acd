//! One event in several metrics at once counts as in each of them alone.

use std::time::Duration;

use fantail_event::{Dialect, Event, EventView as _, SentEvent, ValueRef};
use fantail_metrics::{
    Limits, Method, MetricId, MetricSettings, Modifier, Registry, Top, internal::MetricView,
};
use proptest::prelude::*;

use crate::{
    fixture::{discrete, event_between, settings, text, words},
    snapshots::contents,
};

/// The values of an event by their positions in the settings of a metric.
struct ByPosition<'a> {
    event: &'a SentEvent<'a>,
    settings: &'a MetricSettings,
}

impl MetricView for ByPosition<'_> {
    fn duration(&self) -> Option<ValueRef<'_>> {
        self.event.duration_micros().map(ValueRef::Int)
    }

    fn field(&self, at: usize) -> Option<ValueRef<'_>> {
        self.event.field(self.settings.fields.get(at)?)
    }

    fn level(&self, at: usize) -> Option<ValueRef<'_>> {
        self.event.field(&self.settings.group_by.get(at)?.field)
    }

    fn top(&self) -> Option<ValueRef<'_>> {
        self.event.field(self.settings.top.as_ref()?.field())
    }

    fn top_weight(&self) -> Option<ValueRef<'_>> {
        self.event.field(self.settings.top.as_ref()?.weight()?)
    }
}

fn all_settings() -> Vec<MetricSettings> {
    let domain = Method::Discrete(vec![Modifier::Domain]);
    let by_user_and_command = [("user", discrete()), ("cmd", discrete())];
    vec![
        settings("a", "size", &by_user_and_command),
        settings("b", "size", &by_user_and_command),
        settings("c", "", &by_user_and_command),
        settings("d", "size uid", &[("user", discrete())]),
        settings("e", "uid size", &[("user", domain), ("cmd", discrete())]),
        settings("f", "size", &[]),
        settings("g", "", &[]),
        MetricSettings {
            top: Some(Top::new("user").weighted(Some(b"size".to_vec()))),
            ..settings("h", "", &by_user_and_command)
        },
    ]
}

/// An event, and a bit for each metric that it matches.
fn events() -> impl Strategy<Value = Vec<(Event, u8)>> {
    let users = ["ann@a", "bob@b", "cid@a", "dan@c", "other", ""];
    let user = prop::option::of(prop::sample::select(users.to_vec()));
    let command = prop_oneof![
        2 => prop::sample::select(vec!["select", "fetch"]).prop_map(|name| Some(text(name))),
        1 => Just(None),
        1 => Just(Some(words("select store"))),
    ];
    let size = prop::option::of(0..1_000_000_i64);
    // Mostly all metrics, so that their trees stay alike.
    let matched = prop_oneof![3 => Just(u8::MAX), 1 => any::<u8>()];
    let one = (user, command, size, 1..5_000_i64, matched).prop_map(
        |(user, command, size, sent, matched)| {
            let mut fields = vec![("uid", ValueRef::Int(sent % 7))];
            fields.extend(user.map(|user| ("user", text(user))));
            fields.extend(command.map(|command| ("cmd", command)));
            fields.extend(size.map(|size| ("size", ValueRef::Int(size))));
            (event_between([1, 1 + sent], fields), matched)
        },
    );
    prop::collection::vec(one, 1..120)
}

proptest! {
    #[test]
    fn at_once_is_one_after_another(
        events in events(),
        is_old in any::<bool>(),
        most in prop_oneof![Just(1_000), 8..30_usize],
        per_event in prop_oneof![Just(1_000), 1..4_usize],
    ) {
        let dialect = if is_old { Dialect::V2_3 } else { Dialect::V2_4 };
        let limits = Limits {
            series_per_metric: most,
            updates_per_event: per_event,
            ..Limits::default()
        };
        let all = all_settings();
        let registry = || {
            let mut registry = Registry::with_limits(dialect, limits);
            let ids: Vec<MetricId> = all
                .iter()
                .map(|settings| registry.add(settings.clone()).unwrap())
                .collect();
            (registry, ids)
        };
        let ((mut at_once, ids), (mut apart, ids_apart)) = (registry(), registry());
        for (number, (event, matched)) in events.iter().enumerate() {
            let event = &SentEvent::alone(event);
            let matched = |at: &usize| matched >> at & 1 == 1;
            let list = (0..all.len()).filter(matched);
            at_once.observe_views(list.map(|at| {
                let settings = &all[at];
                (ids[at], ByPosition { event, settings })
            }));
            for at in (0..all.len()).filter(matched) {
                prop_assert!(apart.observe(ids_apart[at], event));
            }
            // Some series go, and the trees stay alike.
            if number % 40 == 39 {
                let now = Duration::from_secs(number as u64);
                let idle = Duration::from_secs(50);
                prop_assert_eq!(at_once.drop_idle(now, idle), apart.drop_idle(now, idle));
            }
        }
        let (at_once, apart) = (at_once.snapshot(), apart.snapshot());
        prop_assert_eq!(contents(&at_once), contents(&apart));
        for (one, other) in at_once.metrics().iter().zip(apart.metrics()) {
            prop_assert_eq!(one.overflowed(), other.overflowed());
        }
    }
}
