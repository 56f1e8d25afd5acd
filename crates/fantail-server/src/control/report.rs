//! Reports: the counts of all workers, merged.
//!
//! Each worker answers with its shard. The shards are merged on a thread that may
//! block, under the series limits of one worker.

use std::sync::Arc;

use fantail_engine::{Counters, RunningSessions};
use fantail_metrics::{Limits, MetricSettings, Snapshot, state};
use tokio::sync::{Mutex, oneshot};

use super::Control;
use crate::{
    StateFile,
    process::clock,
    process::thread,
    process::turn::LongestTurn,
    worker::shard::IntakeCounts,
    worker::{Message, Report},
};

impl Control {
    /// Asks all workers, and answers once they have answered.
    pub(crate) fn report(&self, reset: bool, reply: oneshot::Sender<Report>) {
        let counted_since = self.tally.counted_since();
        if reset {
            self.tally.reset(clock::now());
        }
        let reports: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let (reply, report) = oneshot::channel();
                worker.inbox.send(Message::Report(reset, reply));
                report
            })
            .collect();
        let limits = self.live.borrow().settings.registry.limits;
        self.turns.spawn(async move {
            let mut all = Vec::with_capacity(reports.len());
            for report in reports {
                match report.await {
                    Ok(report) => all.push(report),
                    // A report without one worker would be wrong silently.
                    Err(_) => return,
                }
            }
            // The report of one worker needs no merging.
            let whole = match all.len() {
                1 => Ok(merge(all, &limits)),
                _ => thread::run("merge", move || merge(all, &limits)).await,
            };
            if let Ok(Some(mut whole)) = whole {
                whole.counted_since = counted_since;
                let _ = reply.send(whole);
            }
        });
    }

    /// Asks the workers that have clients for their counts.
    #[cfg(feature = "nats")]
    pub(crate) fn counts(&self, reply: oneshot::Sender<Vec<fantail_fleet::counts::WorkerCounts>>) {
        use fantail_fleet::counts::WorkerCounts;

        let reports = self.reports_of_clients(false);
        self.turns.spawn(async move {
            let mut all = Vec::with_capacity(reports.len());
            for report in reports {
                let Ok(report) = report.await else { return };
                let plan = report.plan;
                all.push(WorkerCounts {
                    snapshot: report.snapshot,
                    filters: Arc::new(move |metric| plan.filter_text(&metric.name)),
                });
            }
            let _ = reply.send(all);
        });
    }

    /// Gives the counts of the workers with clients to the worker without clients: what is
    /// published starts again from zero, and what the host answers stays.
    #[cfg(feature = "nats")]
    pub(crate) fn set_aside(&self, reply: oneshot::Sender<()>) {
        let reports = self.reports_of_clients(true);
        let aside = self.workers.get(self.with_clients);
        let aside = aside.map(|worker| worker.inbox.clone());
        self.turns.spawn(async move {
            for report in reports {
                let (Ok(report), Some(aside)) = (report.await, &aside) else {
                    continue;
                };
                let note = |metric: &MetricSettings| report.plan.filter_text(&metric.name);
                let bytes = state::write(&report.snapshot, note);
                let counts = state::read(&bytes);
                debug_assert!(counts.is_ok(), "what was written can be read");
                if let Ok(counts) = counts {
                    let (done, _) = oneshot::channel();
                    aside.send(Message::Restore(Box::new(counts), done));
                }
            }
            let _ = reply.send(());
        });
    }

    #[cfg(feature = "nats")]
    fn reports_of_clients(&self, reset: bool) -> Vec<oneshot::Receiver<Report>> {
        let workers = self.workers.iter().take(self.with_clients);
        let reports = workers.map(|worker| {
            let (reply, report) = oneshot::channel();
            worker.inbox.send(Message::Report(reset, reply));
            report
        });
        reports.collect()
    }

    /// Asks for the counts, and returns the future that saves them. Saves wait for
    /// each other by the lock, which a save holds until its file is written, also
    /// if the future is dropped.
    pub(crate) fn save(
        &self,
        file: StateFile,
        saving: Arc<Mutex<()>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (reply, whole) = oneshot::channel();
        self.report(false, reply);
        let plan = Arc::clone(&self.live.borrow().plan);
        let log = self.log.clone();
        async move {
            let turn = saving.lock_owned().await;
            let Ok(whole) = whole.await else { return };
            let path = file.path().to_owned();
            let saved = thread::run("state", move || {
                let note = |metric: &MetricSettings| plan.filter_text(&metric.name);
                let written = file.write(&state::write(&whole.snapshot, note));
                drop(turn);
                written
            });
            match saved.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log.say(format_args!("{error}")),
                Err(error) => {
                    log.say(format_args!("cannot write {}: {error}", path.display()));
                }
            }
        }
    }
}

/// Merges reports under the series limits of one worker; `None` without
/// reports.
fn merge(reports: Vec<Report>, limits: &Limits) -> Option<Report> {
    let workers = reports.len();
    let (mut engine, mut intake) = (Counters::default(), IntakeCounts::default());
    let (mut connections, mut held, mut running) = (0, 0, RunningSessions::default());
    let mut longest_turn = LongestTurn::default();
    let plan = Arc::clone(&reports.first()?.plan);
    let mut shards = Vec::with_capacity(workers);
    for report in reports {
        shards.push(report.snapshot);
        engine += report.engine;
        add(&mut intake, report.intake);
        connections += report.connections;
        held += report.held;
        running += report.running;
        longest_turn = longest_turn.or(report.longest_turn);
    }
    // All workers have got the same plans in the same order.
    let snapshot = match <[Snapshot; 1]>::try_from(shards) {
        Ok([only]) => only,
        Err(shards) => Snapshot::merged(&shards, limits)?,
    };
    Some(Report {
        snapshot,
        engine,
        intake,
        connections,
        held,
        running,
        longest_turn,
        workers,
        plan,
        counted_since: None,
    })
}

fn add(intake: &mut IntakeCounts, other: IntakeCounts) {
    intake.bytes += other.bytes;
    intake.lines += other.lines;
    intake.accepted += other.accepted;
    for (kind, count) in other.errors {
        *intake.errors.entry(kind).or_default() += count;
    }
}
