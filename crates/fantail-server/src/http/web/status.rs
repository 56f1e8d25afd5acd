//! The status that all pages get every few seconds: the server, metrics, exporters, and
//! the events that were seen. It is made once for all pages.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    Handle,
    http::api::{exporters_value, server_value},
    memory::ReservedText,
    process::{clock, thread},
    worker::{Report, census::Census},
};

/// The time between two statuses.
const INTERVAL: Duration = Duration::from_secs(2);

/// With many series, making a status takes at most one part in this many of the time.
const MIN_REST: u32 = 20;

/// Metrics and names of events in a status.
const MAX_ROWS: usize = 1000;

/// A status, or a failure to make it, and the time that it took.
#[derive(Debug)]
pub(super) struct Made {
    status: Option<Bytes>,
    took: Duration,
}

/// Makes statuses, one at a time.
#[derive(Debug)]
pub(super) struct StatusMaker {
    handle: Handle,
    census: Arc<Census>,
    made: mpsc::Sender<Made>,
    is_making: bool,
    next: Instant,
    last: Option<(Bytes, Instant)>,
}

impl StatusMaker {
    /// Creates a maker that sends to `made`.
    pub(super) fn new(handle: Handle, census: Arc<Census>, made: mpsc::Sender<Made>) -> Self {
        Self {
            handle,
            census,
            made,
            is_making: false,
            next: Instant::now(),
            last: None,
        }
    }

    /// Returns the last status, unless it is old.
    pub(super) fn last(&self) -> Option<&Bytes> {
        let (status, time) = self.last.as_ref()?;
        (time.elapsed() < 2 * INTERVAL).then_some(status)
    }

    /// Has the next status made with the next tick, if the last one is old.
    pub(super) fn make_soon(&mut self) {
        if self.last().is_none() {
            self.next = self.next.min(Instant::now());
        }
    }

    /// Takes a status that was made, and returns it.
    pub(super) fn take(&mut self, made: Made) -> Option<Bytes> {
        let now = Instant::now();
        self.is_making = false;
        self.next = now + INTERVAL.max(made.took * MIN_REST);
        let status = made.status?;
        self.last = Some((status.clone(), now));
        Some(status)
    }

    /// Starts to make a status if it is time.
    pub(super) fn tick(&mut self) {
        let begun = Instant::now();
        if self.is_making || begun < self.next {
            return;
        }
        self.is_making = true;
        let (handle, census) = (self.handle.clone(), Arc::clone(&self.census));
        let made = self.made.clone();
        let turns = Arc::clone(&self.handle.http_turns);
        turns.spawn(async move {
            let status = make(handle, census).await;
            let took = begun.elapsed();
            // The task of the pages may have ended.
            let _ = made.send(Made { status, took }).await;
        });
    }
}

/// Makes a status on a thread of its own, which also frees the snapshot.
async fn make(handle: Handle, census: Arc<Census>) -> Option<Bytes> {
    let report = handle.held_report(false).await.ok()?;
    let made = thread::run("status", move || text(&handle, &report, &census));
    made.await.ok()?
}

fn text(handle: &Handle, report: &Report, census: &Census) -> Option<Bytes> {
    let live = Arc::clone(&handle.live.borrow());
    let counts = census.counts();
    let mut names: Vec<_> = counts.names.iter().collect();
    names.sort_unstable_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    let names = names.into_iter().take(MAX_ROWS);
    let names: Vec<Value> = names
        .map(|(name, count)| json!([String::from_utf8_lossy(name), count]))
        .collect();
    let status = json!({
        "unix_us": clock::now().unix_micros(),
        "server": server_value(handle, report),
        "metrics": metrics(report),
        "exporters": exporters_value(&live),
        "events": { "names": names, "unnamed": counts.unnamed, "other": counts.other },
    });
    let text = format!("event: status\ndata: {status}\n\n").into_bytes();
    // Without memory, pages wait for the next status.
    ReservedText::of(text, &handle.answers).map(Bytes::from_owner)
}

/// The number of events and of series of each metric.
fn metrics(report: &Report) -> Vec<Value> {
    let metrics = report.snapshot.metrics().iter().take(MAX_ROWS);
    let metrics = metrics.map(|metric| {
        let whole = metric.series().get(0);
        json!({
            "name": String::from_utf8_lossy(&metric.settings().name),
            "count": whole.map_or(0, |series| series.duration().count()),
            "series": metric.series().len(),
            "overflowed": metric.overflowed(),
        })
    });
    metrics.collect()
}
