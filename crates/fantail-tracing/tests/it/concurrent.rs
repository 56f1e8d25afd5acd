//! Many threads and tasks, against what each of them knows.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

use fantail_tracing::LayerHandle;
use tracing::{Dispatch, Instrument as _, debug_span, info, info_span};
use tracing_subscriber::prelude::*;

const THREADS: u64 = 8;
const ROUNDS: u64 = 200;

/// Each event has the fields that its spans gave it: the metric has a series for each
/// pair that occurs.
const CONFIG: &str = "metric events {\n filter = message=event\n group_by own {\n }\n \
                      group_by outer {\n }\n group_by inner {\n }\n}\n\
                      metric spans {\n filter = event=inner\n group_by outer {\n }\n \
                      group_by inner {\n }\n}\n";

fn dispatch() -> (Dispatch, LayerHandle) {
    let (layer, handle) = fantail_tracing::layer(CONFIG).unwrap();
    (tracing_subscriber::registry().with(layer).into(), handle)
}

/// The labels and counts of a metric.
fn series(handle: &LayerHandle, metric: &str) -> Vec<(String, u64)> {
    let samples = crate::samples(handle);
    let start = format!("{metric}_total{{");
    let of = samples
        .iter()
        .filter_map(|sample| sample.strip_prefix(&start));
    let of = of.map(|rest| {
        let (labels, count) = rest.split_once("} ").unwrap();
        (labels.to_owned(), count.parse().unwrap())
    });
    of.collect()
}

/// Checks that thread or task `n` of `count` sent `each` events within its own spans.
#[track_caller]
fn check(handle: &LayerHandle, count: u64, each: u64) {
    let mut events = series(handle, "events");
    let mut spans = series(handle, "spans");
    let mut expected: Vec<_> = (0..count)
        .map(|n| (format!("own=\"{n}\",outer=\"{n}\",inner=\"{n}\""), each))
        .collect();
    expected.sort();
    events.sort();
    assert_eq!(events, expected);
    let mut expected: Vec<_> = (0..count)
        .map(|n| (format!("outer=\"{n}\",inner=\"{n}\""), each))
        .collect();
    expected.sort();
    spans.sort();
    assert_eq!(spans, expected);
}

fn program(n: u64) {
    let outer = info_span!("outer", outer = tracing::field::Empty);
    outer.record("outer", n);
    let _outer = outer.enter();
    for _ in 0..ROUNDS {
        let inner = debug_span!("inner", inner = n);
        inner.in_scope(|| info!(own = n, "event"));
    }
}

#[test]
fn threads_have_their_own_parents_and_lose_nothing() {
    let (dispatch, handle) = dispatch();
    thread::scope(|scope| {
        for n in 0..THREADS {
            let dispatch = &dispatch;
            scope.spawn(move || tracing::dispatcher::with_default(dispatch, || program(n)));
        }
    });
    check(&handle, THREADS, ROUNDS);
    // And the outer spans.
    assert_eq!(handle.counters().events, 2 * THREADS * ROUNDS + THREADS);
}

#[test]
fn a_span_can_be_shared_by_threads() {
    let (dispatch, handle) = dispatch();
    let outer = tracing::dispatcher::with_default(&dispatch, || info_span!("outer", outer = 0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (dispatch, outer) = (&dispatch, outer.clone());
            scope.spawn(move || {
                tracing::dispatcher::with_default(dispatch, || {
                    for _ in 0..ROUNDS {
                        outer.record("outer", 0);
                        let inner = debug_span!(parent: &outer, "inner", inner = 0);
                        info!(parent: &inner, own = 0, "event");
                    }
                });
            });
        }
    });
    check(&handle, 1, THREADS * ROUNDS);
}

#[test]
fn a_reload_under_load_loses_no_event() {
    let (dispatch, handle) = dispatch();
    let other = format!("{CONFIG}metric other {{\n filter = own=3\n}}\n");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let dispatch = &dispatch;
                scope.spawn(move || tracing::dispatcher::with_default(dispatch, || program(n)))
            })
            .collect();
        let (handle, done) = (&handle, &done);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                handle.reload(&other).unwrap();
                handle.reload(CONFIG).unwrap();
                let _ = handle.snapshot();
            }
        });
        let ended = threads.into_iter().all(|thread| thread.join().is_ok());
        done.store(true, Ordering::Relaxed);
        assert!(ended);
    });
    check(&handle, THREADS, ROUNDS);
}

/// Is pending once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

async fn task(n: u64) {
    for _ in 0..ROUNDS / 10 {
        let inner = async {
            Yield(false).await;
            info!(own = n, "event");
            Yield(false).await;
        };
        inner.instrument(debug_span!("inner", inner = n)).await;
    }
}

#[test]
fn tasks_that_move_between_threads_have_their_own_parents() {
    const TASKS: u64 = 40;
    let (dispatch, handle) = dispatch();
    let tasks: VecDeque<Pin<Box<dyn Future<Output = ()> + Send>>> =
        tracing::dispatcher::with_default(&dispatch, || {
            let tasks = (0..TASKS).map(|n| {
                let task = task(n).instrument(info_span!("outer", outer = n));
                Box::pin(task) as Pin<Box<dyn Future<Output = ()> + Send>>
            });
            tasks.collect()
        });
    // A task that yields goes on in the next thread that is free.
    let ready = Mutex::new(tasks);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    loop {
                        let next = ready.lock().unwrap().pop_front();
                        let Some(mut task) = next else { break };
                        let mut context = Context::from_waker(Waker::noop());
                        if task.as_mut().poll(&mut context).is_pending() {
                            ready.lock().unwrap().push_back(task);
                        }
                    }
                });
            });
        }
    });
    // A thread may have found the queue empty while others had the last tasks.
    tracing::dispatcher::with_default(&dispatch, || {
        for mut task in ready.into_inner().unwrap() {
            let mut context = Context::from_waker(Waker::noop());
            while task.as_mut().poll(&mut context).is_pending() {}
        }
    });
    check(&handle, TASKS, ROUNDS / 10);
}
