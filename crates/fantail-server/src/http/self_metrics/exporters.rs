//! Metrics of the exporters: `fantail_export_…`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use fantail_exposition::{Exposition, Kind, Number};
use fantail_transport::{DropReason, QueueStatus};

use super::{counter, family};
use crate::{exporters::TOO_LARGE, handle::Handle};

/// An exporter's name and status.
type Exporter<'a> = (&'a str, QueueStatus);

/// Name, kind, help and value of a family with one sample for each exporter.
type Row = (&'static str, Kind, &'static str, fn(&QueueStatus) -> Number);

const ROWS: [Row; 11] = [
    (
        "fantail_export_up",
        Kind::Gauge,
        "Whether the target and the spool of an exporter work",
        |status| u64::from(status.last_error.is_none()).into(),
    ),
    (
        "fantail_export_queued",
        Kind::Counter,
        "Events taken for an exporter",
        |status| status.counters.queued.into(),
    ),
    (
        "fantail_export_recovered",
        Kind::Counter,
        "Events found in the spool at the start",
        |status| status.counters.recovered.into(),
    ),
    (
        "fantail_export_sent",
        Kind::Counter,
        "Events that reached their target",
        |status| status.counters.sent.into(),
    ),
    (
        "fantail_export_sent_bytes",
        Kind::Counter,
        "Bytes that reached their target",
        |status| status.counters.sent_bytes.into(),
    ),
    (
        "fantail_export_shortened",
        Kind::Counter,
        "Events cut because their target takes no longer ones",
        |status| status.shortened.into(),
    ),
    (
        "fantail_export_retried",
        Kind::Counter,
        "Events sent once more",
        |status| status.counters.retried.into(),
    ),
    (
        "fantail_export_failures",
        Kind::Counter,
        "Attempts that ended with an error",
        |status| status.counters.failures.into(),
    ),
    (
        "fantail_export_waiting",
        Kind::Gauge,
        "Events that wait for their target",
        |status| status.waiting.into(),
    ),
    (
        "fantail_export_oldest_seconds",
        Kind::Gauge,
        "How long the oldest event has waited",
        |status| status.oldest.unwrap_or_default().as_secs_f64().into(),
    ),
    (
        "fantail_export_spool_bytes",
        Kind::Gauge,
        "Bytes of the spool of an exporter",
        |status| status.spool_bytes.into(),
    ),
];

/// Writes the families of all exporters.
pub(super) fn write<W: Write>(handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let live = Arc::clone(&handle.live.borrow());
    let exporters = live.exporters.iter();
    let exporters: Vec<Exporter<'_>> = exporters
        .map(|(name, queue)| (name, queue.status()))
        .collect();
    for row in ROWS {
        write_row(&exporters, row, out)?;
    }
    let mut limit = family(
        "fantail_export_spool_limit_bytes",
        Kind::Gauge,
        "Bytes that the spool of an exporter may take; only those with a spool",
    );
    limit.unit = Some("bytes");
    out.family(&limit, |samples| {
        let settings = live.settings.exporters.iter();
        for ((name, _), settings) in exporters.iter().zip(settings) {
            if let Some(spool) = settings.queue.level.spool() {
                samples.add(&[("exporter", *name)], spool.bytes)?;
            }
        }
        Ok(())
    })?;
    let lost = counter("fantail_export_dropped", "Events that were lost");
    let too_large: Vec<u64> = live.exporters.too_large().collect();
    out.family(&lost, |samples| {
        for ((name, status), too_large) in exporters.iter().zip(too_large) {
            samples.add(&[("exporter", name), ("reason", TOO_LARGE)], too_large)?;
            for reason in DropReason::ALL {
                let labels = [("exporter", *name), ("reason", reason.name())];
                samples.add(&labels, status.counters.dropped(reason))?;
            }
        }
        Ok(())
    })
}

fn write_row<W: Write>(
    exporters: &[Exporter<'_>],
    (name, kind, help, value): Row,
    out: &mut Exposition<W>,
) -> io::Result<()> {
    let mut family = family(name, kind, help);
    let units = ["bytes", "seconds"].into_iter();
    family.unit = units.into_iter().find(|unit| name.ends_with(unit));
    out.family(&family, |samples| {
        for (name, status) in exporters {
            samples.add(&[("exporter", *name)], value(status))?;
        }
        Ok(())
    })
}
