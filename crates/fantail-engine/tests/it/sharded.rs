//! Several threads, one answer.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use fantail_engine::{Engine, Exported, Plan, Sharded};
use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use fantail_metrics::Snapshot;
use fantail_wire::Intake;

use super::{CONTEXT, Client, Recorded, settings};

fn assert_send<T: Send>() {}
fn assert_sync<T: Sync>() {}

#[test]
fn engines_move_and_shards_are_shared() {
    assert_send::<Engine>();
    assert_send::<Sharded>();
    assert_sync::<Sharded>();
    assert_send::<Arc<Plan>>();
    assert_sync::<Plan>();
}

const THREADS: usize = 4;
const BATCHES: usize = 50;
const EVENTS: usize = 20;

const KEPT: &str = "metric kept {\n  filter = event=x\n  group_by user {\n }\n}\n";
const OTHER: &str = "metric other {\n  filter = event=x AND user=u1\n}\n";

fn plan(text: &str) -> Arc<Plan> {
    Arc::new(Plan::new(&settings(text.as_bytes(), Dialect::V2_4)).unwrap())
}

fn count(snapshot: &Snapshot, metric: &str) -> u64 {
    let mut metrics = snapshot.metrics().iter();
    let metric = metrics.find(|it| it.settings().name == metric.as_bytes());
    let series = metric.and_then(|metric| metric.series().iter().next());
    series.map_or(0, |series| series.duration().count())
}

/// Feeds a shard in batches, each from begin to end of its live events.
fn feed(sharded: &Sharded, number: usize) {
    let (mut intake, mut recorded) = (Intake::new(), Recorded::default());
    let mut client = Client::new(&mut intake, Dialect::V2_4);
    let begin = format!("BEGIN\t1\t0\t1\t5\t5\tSuser\tu{number}");
    let event = "EVENT\t0\t1\t1\t5\t5\tnx";
    for _ in 0..BATCHES {
        let mut shard = sharded.shard(number);
        let feed = (&mut intake, &mut *shard);
        client.play(&[&begin], feed, &mut recorded);
        client.play(&[event; EVENTS], (&mut intake, &mut *shard), &mut recorded);
        client.play(&["END\t1"], (&mut intake, &mut *shard), &mut recorded);
    }
}

#[test]
fn threads_count_together() {
    // More threads than shards: two intakes feed the same engine.
    for shards in [1, 2, 3, 4] {
        let shards = NonZeroUsize::new(shards).unwrap();
        let sharded = Sharded::new(plan(&format!("{KEPT}{OTHER}")), shards);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let sharded = &sharded;
                scope.spawn(move || feed(sharded, number));
            }
        });
        let each = (BATCHES * EVENTS) as u64;
        let snapshot = sharded.snapshot();
        assert_eq!(count(&snapshot, "kept"), each * THREADS as u64);
        assert_eq!(count(&snapshot, "other"), each);
        // One series for the metric, one for each user.
        let kept = snapshot.metrics().first().unwrap();
        assert_eq!(kept.series().iter().count(), 1 + THREADS);
        let counters = sharded.counters();
        assert_eq!(counters.matched, each * THREADS as u64);
        assert_eq!(
            counters.events,
            counters.matched + (THREADS * BATCHES) as u64
        );
        assert_eq!((sharded.len(), sharded.is_empty()), (shards.get(), false));
    }
}

/// Metrics that are in both plans keep what they counted, and each answer has
/// all of it.
#[test]
fn a_plan_is_adopted_while_threads_feed() {
    let (without, with) = (plan(KEPT), plan(&format!("{OTHER}{KEPT}")));
    let shards = NonZeroUsize::new(2).unwrap();
    let sharded = Sharded::new(Arc::clone(&without), shards);
    let running = AtomicUsize::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (sharded, running) = (&sharded, &running);
            scope.spawn(move || {
                feed(sharded, number);
                running.fetch_sub(1, Ordering::Release);
            });
        }
        let (sharded, running) = (&sharded, &running);
        scope.spawn(move || {
            let mut last = 0;
            while running.load(Ordering::Acquire) > 0 {
                let now = count(&sharded.snapshot(), "kept");
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
        let mut rounds = 0;
        while running.load(Ordering::Acquire) > 0 || rounds < 4 {
            let plan = if rounds % 2 == 0 { &with } else { &without };
            sharded.adopt(plan);
            assert!(Arc::ptr_eq(&sharded.plan(), plan));
            rounds += 1;
        }
    });
    sharded.adopt(&with);
    let all = (THREADS * BATCHES * EVENTS) as u64;
    let snapshot = sharded.snapshot();
    assert_eq!(count(&snapshot, "kept"), all);
    assert_eq!(snapshot.metrics().len(), 2);
}

/// Numbers of shards go round.
#[test]
fn a_shard_for_any_number() {
    let shards = NonZeroUsize::new(3).unwrap();
    let sharded = Sharded::new(plan(KEPT), shards);
    let event = Event::builder(Timestamp::default()).name("x").build();
    let event = event.unwrap();
    for number in [0, 1, 2, 3, 4, usize::MAX] {
        let mut shard = sharded.shard(number);
        shard.handle(&SentEvent::alone(&event), CONTEXT, &mut |_: Exported<
            '_,
        >| {});
    }
    assert_eq!(count(&sharded.snapshot(), "kept"), 6);
    // 0, 3 and `usize::MAX`, which is 3 times a number.
    assert_eq!(sharded.shard(0).counters().matched, 3);
}

/// A thread that panics within a batch stops no other.
#[test]
fn a_panic_stops_no_other_thread() {
    let sharded = Sharded::new(plan(KEPT), NonZeroUsize::MIN);
    let event = Event::builder(Timestamp::default()).name("x").build();
    let event = event.unwrap();
    let sent = SentEvent::alone(&event);
    let panicked = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut shard = sharded.shard(0);
            shard.handle(&sent, CONTEXT, &mut |_: Exported<'_>| {});
            panic!("on purpose");
        });
        thread.join().is_err()
    });
    assert!(panicked);
    sharded
        .shard(0)
        .handle(&sent, CONTEXT, &mut |_: Exported<'_>| {});
    assert_eq!(count(&sharded.snapshot(), "kept"), 2);
}
