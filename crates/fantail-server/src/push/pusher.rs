//! The thread that pushes.

use std::{
    io,
    time::{Duration, Instant},
};

use fantail_event::Timestamp;
use fantail_exposition::{ExpositionOptions, Format};
use tokio::sync::oneshot;

use super::{
    PushOptions, PushProtocol,
    bodies::{Bodies, PUSH_BYTES, Way},
    otlp,
    remembered::Remembered,
    remote_write::push_end,
    target::{Target, part_of},
    waiting::{End, Waiting},
};
use crate::{
    Handle, Log,
    http::scrape,
    memory::{Part, Reservation},
    process::{clock, thread},
    push_counters::{PushCounters, add},
    worker::Report,
};

/// The shortest time between two snapshots.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The pushes of a running server.
#[derive(Debug)]
pub(crate) struct Pushing {
    end: oneshot::Sender<End>,
    done: oneshot::Receiver<()>,
}

impl Pushing {
    /// Starts to push.
    ///
    /// # Errors
    /// The system starts no thread.
    pub(crate) fn start(
        options: &PushOptions,
        host: &[u8],
        handle: &Handle,
        log: &Log,
    ) -> io::Result<Self> {
        let (end, ended) = oneshot::channel();
        let waiting = Waiting::new(ended)?;
        let pusher = Pusher::new(options, host, waiting, handle.clone(), log.clone());
        let done = thread::start("push", move || pusher.run())?;
        Ok(Self { end, done })
    }

    /// Has the last counts pushed and the series ended; the receiver is told when this is
    /// done.
    pub(crate) fn end(
        self,
        report: oneshot::Receiver<Report>,
        until: Instant,
    ) -> oneshot::Receiver<()> {
        // The thread may have ended.
        let _ = self.end.send(End { report, until });
        self.done
    }
}

struct Pusher {
    protocol: PushProtocol,
    interval: Duration,
    /// The labels of all series of remote write.
    labels: Vec<(String, String)>,
    /// The beginning of a body of OTLP.
    start: Vec<u8>,
    /// The series of remote write.
    remembered: Option<Remembered>,
    target: Target,
    waiting: Waiting,
    handle: Handle,
    /// The time of the last samples, in milliseconds.
    last: i64,
    _memory: Reservation,
}

impl Pusher {
    fn new(options: &PushOptions, host: &[u8], waiting: Waiting, handle: Handle, log: Log) -> Self {
        let budget = handle.memory.budget(Part::Queues);
        let is_remote_write = options.protocol == PushProtocol::RemoteWrite;
        let host_text = String::from_utf8_lossy(host).into_owned();
        let labels = match options.protocol {
            PushProtocol::RemoteWrite => vec![
                ("job".to_owned(), options.job.clone()),
                ("instance".to_owned(), host_text),
            ],
            PushProtocol::Otlp => Vec::new(),
        };
        Self {
            protocol: options.protocol,
            interval: options.interval.max(MIN_INTERVAL),
            labels,
            start: otlp::start(host),
            remembered: is_remote_write.then(|| Remembered::new(&budget)),
            target: Target::new(options, log),
            waiting,
            last: i64::MIN,
            _memory: budget.reserve_anyway(PUSH_BYTES),
            handle,
        }
    }

    fn run(mut self) {
        let mut due = Instant::now() + part_of(MIN_INTERVAL);
        // A snapshot that had to wait would not be the newest.
        while self.waiting.wait_until(self.target.not_before(due)) {
            due = Instant::now() + self.interval;
            match self.waiting.report(&self.handle) {
                Some(report) => self.push(&report, due),
                None if self.waiting.is_ended() => break,
                None => add(&self.handle.tally.push.incomplete, 1),
            }
        }
        if let Some(end) = self.waiting.take_end() {
            let until = end.until;
            if let Some(report) = self.waiting.last_report(end) {
                self.push(&report, until);
            }
            self.end_series(until);
        }
    }

    /// Pushes a snapshot, unless this takes until the next one is due.
    fn push(&mut self, report: &Report, until: Instant) {
        let time = clock::now();
        let millis = time.unix_micros().div_euclid(1_000);
        // After a step back of the clock, samples would be older than those before.
        let is_whole = millis > self.last && {
            self.last = millis;
            self.send(report, time, until).unwrap_or(false)
        };
        let counters = &self.handle.tally.push;
        let snapshots = match is_whole {
            true => &counters.complete,
            false => &counters.incomplete,
        };
        add(snapshots, 1);
    }

    /// Returns whether the target has accepted all of it.
    fn send(&mut self, report: &Report, time: Timestamp, until: Instant) -> io::Result<bool> {
        let format = match self.protocol {
            PushProtocol::RemoteWrite => Format::RemoteWrite,
            PushProtocol::Otlp => Format::Otlp,
        };
        let options = ExpositionOptions {
            time,
            labels: self.labels.clone(),
            ..ExpositionOptions::new(format)
        };
        if let Some(remembered) = &mut self.remembered {
            remembered.begin();
        }
        let way = Way {
            target: &mut self.target,
            counters: &self.handle.tally.push,
            waiting: &mut self.waiting,
            until,
        };
        let frame = (self.protocol, self.start.as_slice());
        let mut bodies = Bodies::new(way, frame, self.remembered.as_mut());
        scrape::write_metrics(report, &self.handle, (options, true), &mut bodies)?;
        let is_whole = bodies.finish()?;
        Ok(self.mark_ends(until)? && is_whole)
    }

    /// Marks the end of all series.
    fn end_series(&mut self, until: Instant) {
        if let Some(remembered) = &mut self.remembered {
            remembered.begin();
            self.last += 1;
            // A failure is counted and logged; there is no later attempt.
            let _ = self.mark_ends(until);
        }
    }

    /// Marks the ends of the series that the last snapshot does not have.
    fn mark_ends(&mut self, until: Instant) -> io::Result<bool> {
        let Some(remembered) = &mut self.remembered else {
            return Ok(true);
        };
        let counters: &PushCounters = &self.handle.tally.push;
        let way = Way {
            target: &mut self.target,
            counters,
            waiting: &mut self.waiting,
            until,
        };
        let mut bodies = Bodies::new(way, (self.protocol, b""), None);
        let (mut record, mut count) = (Vec::new(), 0);
        for labels in remembered.ended() {
            record.clear();
            push_end(labels, self.last, &mut record);
            io::Write::write_all(&mut bodies, &record)?;
            count += 1;
        }
        let is_whole = bodies.finish()?;
        add(&counters.ended_series, count);
        remembered.forget_ended();
        Ok(is_whole)
    }
}
