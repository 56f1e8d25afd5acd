//! The metrics of the server: `fantail_…`.

mod exporters;

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use fantail_exposition::{Exposition, Family, Kind};

use fantail_engine::SESSION_SERVICES;

use crate::{
    handle::Handle,
    memory::{Budget, Part},
    worker::Report,
};

const fn family(name: &'static str, kind: Kind, help: &'static str) -> Family<'static> {
    Family {
        name,
        kind,
        help,
        unit: None,
    }
}

const fn counter(name: &'static str, help: &'static str) -> Family<'static> {
    family(name, Kind::Counter, help)
}

const fn gauge(name: &'static str, help: &'static str) -> Family<'static> {
    family(name, Kind::Gauge, help)
}

/// Writes all families.
pub(super) fn write<W: Write>(
    whole: &Report,
    handle: &Handle,
    out: &mut Exposition<W>,
) -> io::Result<()> {
    process(handle, out)?;
    intake(whole, handle, out)?;
    memory(handle, out)?;
    sessions(whole, out)?;
    errors(whole, out)?;
    metrics(whole, out)?;
    exporters::write(handle, out)?;
    pushes(handle, out)
}

fn one<W: Write>(out: &mut Exposition<W>, family: &Family<'_>, number: u64) -> io::Result<()> {
    out.family(family, |samples| samples.add(&[], number))
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn process<W: Write>(handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let build = family("fantail_build", Kind::Info, "The version of fantail");
    out.family(&build, |samples| {
        samples.add(&[("version", env!("CARGO_PKG_VERSION"))], 1)
    })?;
    let tally = &handle.tally;
    let mut start = gauge("fantail_start_time_seconds", "When the server started");
    start.unit = Some("seconds");
    #[allow(clippy::cast_precision_loss, reason = "until the year 2255")]
    let started = tally.started.unix_micros() as f64 / 1e6;
    out.family(&start, |samples| samples.add(&[], started))?;
    let reloads = counter("fantail_reloads", "Reloads of the configuration");
    out.family(&reloads, |samples| {
        samples.add(&[("result", "done")], get(&tally.reloads))?;
        samples.add(&[("result", "refused")], get(&tally.reloads_refused))
    })?;
    let scrapes = counter("fantail_scrapes", "Scrapes, this one included");
    one(out, &scrapes, get(&tally.scrapes))?;
    let dropped = counter(
        "fantail_log_dropped_lines",
        "Lines of the log that standard error did not take in time",
    );
    let live = Arc::clone(&handle.live.borrow());
    one(out, &dropped, live.exporters.log().dropped())
}

fn intake<W: Write>(whole: &Report, handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let workers = gauge("fantail_workers", "Threads that read events");
    one(out, &workers, number(whole.workers))?;
    let connections = gauge("fantail_connections", "Connections of Dovecot's processes");
    one(out, &connections, number(whole.connections))?;
    let mut longest = gauge(
        "fantail_longest_turn_seconds",
        "The longest time that a thread spent on one client or task at a time",
    );
    longest.unit = Some("seconds");
    out.family(&longest, |samples| {
        let threads = [
            ("control", handle.turns.longest()),
            ("http", handle.http_turns.longest()),
            ("worker", whole.longest_turn),
        ];
        for (thread, longest) in threads {
            for (clock, time) in [("wall", longest.wall), ("cpu", longest.cpu)] {
                let labels = [("thread", thread), ("clock", clock)];
                samples.add(&labels, time.as_secs_f64())?;
            }
        }
        Ok(())
    })?;
    let accepted = counter("fantail_accepted_connections", "Connections accepted");
    one(out, &accepted, whole.intake.accepted)?;
    let refused = counter(
        "fantail_refused_connections",
        "Connections closed at once because there were too many",
    );
    one(out, &refused, get(&handle.tally.refused))?;
    let mut held = gauge(
        "fantail_held_bytes",
        "Bytes that connections hold: live events, incomplete lines and sessions",
    );
    held.unit = Some("bytes");
    one(out, &held, number(whole.held))?;
    let mut read = counter("fantail_read_bytes", "Bytes read from Dovecot's processes");
    read.unit = Some("bytes");
    one(out, &read, whole.intake.bytes)?;
    let lines = counter("fantail_read_lines", "Lines read from Dovecot's processes");
    one(out, &lines, whole.intake.lines)?;
    let events = counter("fantail_events", "Events read");
    one(out, &events, whole.engine.events)?;
    let matched = counter("fantail_matched_events", "Events that a metric counts");
    one(out, &matched, whole.engine.matched)
}

/// Writes the reserved memory and the limit of each part of the server.
fn memory<W: Write>(handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let mut reserved = gauge(
        "fantail_reserved_memory_bytes",
        "Memory that parts of the server have reserved, of --max-memory",
    );
    reserved.unit = Some("bytes");
    let mut limits = gauge(
        "fantail_memory_limit_bytes",
        "Memory that a part can reserve while the others keep to their shares",
    );
    limits.unit = Some("bytes");
    let used: fn(&Budget) -> usize = Budget::used;
    for (family, bytes) in [(reserved, used), (limits, Budget::limit)] {
        out.family(&family, |samples| {
            for part in Part::ALL {
                let bytes = bytes(&handle.memory.budget(part));
                let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                samples.add(&[("part", part.name())], bytes)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Pushes; all 0 unless there is a target.
fn pushes<W: Write>(handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let push = &handle.tally.push;
    let snapshots = counter(
        "fantail_push_snapshots",
        "Snapshots pushed, or given up in part",
    );
    let requests = counter("fantail_push_requests", "Requests to the target of pushes");
    let samples = counter(
        "fantail_push_samples",
        "Samples that were pushed, or refused",
    );
    let families = [
        (
            snapshots,
            &[
                ("complete", &push.complete),
                ("incomplete", &push.incomplete),
            ][..],
        ),
        (
            requests,
            &[
                ("accepted", &push.accepted),
                ("refused", &push.refused),
                ("failed", &push.failed),
            ],
        ),
        (
            samples,
            &[
                ("accepted", &push.sent_samples),
                ("refused", &push.refused_samples),
            ],
        ),
    ];
    for (family, results) in families {
        out.family(&family, |samples| {
            let mut results = results.iter();
            results.try_for_each(|(result, count)| samples.add(&[("result", *result)], get(count)))
        })?;
    }
    let ended = counter("fantail_push_ended_series", "Series whose end was pushed");
    one(out, &ended, get(&push.ended_series))?;
    let unmarked = counter(
        "fantail_push_unmarked_series",
        "Samples of series whose end cannot be pushed for lack of memory",
    );
    one(out, &unmarked, get(&push.unmarked_series))
}

/// Sessions; all 0 unless a metric asks for them.
fn sessions<W: Write>(whole: &Report, out: &mut Exposition<W>) -> io::Result<()> {
    let families = [
        (
            gauge("fantail_sessions", "Sessions that are open"),
            whole.running.sessions,
        ),
        (
            gauge(
                "fantail_running_commands",
                "Commands that have begun and not ended",
            ),
            whole.running.commands,
        ),
    ];
    for (family, numbers) in families {
        out.family(&family, |samples| {
            for (service, number) in SESSION_SERVICES.iter().zip(numbers) {
                samples.add(&[("service", service)], number)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn errors<W: Write>(whole: &Report, out: &mut Exposition<W>) -> io::Result<()> {
    let errors = counter(
        "fantail_protocol_errors",
        "Connections closed for what the client sent",
    );
    out.family(&errors, |samples| {
        for (kind, count) in &whole.intake.errors {
            samples.add(&[("kind", kind)], *count)?;
        }
        Ok(())
    })
}

fn metrics<W: Write>(whole: &Report, out: &mut Exposition<W>) -> io::Result<()> {
    let names = whole.snapshot.metrics().iter().map(|metric| {
        // Escaped, so that names that are not UTF-8 stay distinct.
        let name = metric.settings().name.escape_ascii().to_string();
        (name, metric)
    });
    let names: Vec<_> = names.collect();
    let series = gauge("fantail_series", "Series of a metric");
    out.family(&series, |samples| {
        for (name, metric) in &names {
            let count = u64::try_from(metric.series().len()).unwrap_or(u64::MAX);
            samples.add(&[("metric", name)], count)?;
        }
        Ok(())
    })?;
    out.limits(&whole.snapshot)
}
