//! What became of exported events, as `fantail_export_…` families.

use std::io::{self, Write};

use fantail_exposition::{Exposition, Kind};
use fantail_transport::{DropReason, QueueStatus};

use super::{counter, family, gauge};
use crate::handle::Handle;

/// Writes the families of all exporters.
pub(super) fn write<W: Write>(handle: &Handle, out: &mut Exposition<W>) -> io::Result<()> {
    let live = std::sync::Arc::clone(&handle.live.borrow());
    let exporters = live.exporters.iter();
    let exporters: Vec<_> = exporters
        .map(|(name, queue)| (name, queue.status()))
        .collect();
    counters(&exporters, out)?;
    let lost = counter("fantail_export_dropped", "Events that were lost");
    out.family(&lost, |samples| {
        for (name, status) in &exporters {
            for reason in DropReason::ALL {
                let labels = [("exporter", *name), ("reason", reason.name())];
                samples.add(&labels, status.counters.dropped(reason))?;
            }
        }
        Ok(())
    })?;
    gauges(&exporters, out)
}

fn counters<W: Write>(
    exporters: &[(&str, QueueStatus)],
    out: &mut Exposition<W>,
) -> io::Result<()> {
    type Get = fn(&QueueStatus) -> u64;
    let families: [(&str, &str, Get); 7] = [
        (
            "fantail_export_queued",
            "Events taken for an exporter",
            |status| status.counters.queued,
        ),
        (
            "fantail_export_recovered",
            "Events found in the spool at the start",
            |status| status.counters.recovered,
        ),
        (
            "fantail_export_sent",
            "Events that reached their target",
            |status| status.counters.sent,
        ),
        (
            "fantail_export_sent_bytes",
            "Bytes that reached their target",
            |status| status.counters.sent_bytes,
        ),
        (
            "fantail_export_shortened",
            "Events cut because their target takes no longer ones",
            |status| status.shortened,
        ),
        (
            "fantail_export_retried",
            "Events sent once more",
            |status| status.counters.retried,
        ),
        (
            "fantail_export_failures",
            "Attempts that ended with an error",
            |status| status.counters.failures,
        ),
    ];
    for (name, help, get) in families {
        let mut family = family(name, Kind::Counter, help);
        family.unit = name.ends_with("_bytes").then_some("bytes");
        out.family(&family, |samples| {
            for (name, status) in exporters {
                samples.add(&[("exporter", *name)], get(status))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn gauges<W: Write>(exporters: &[(&str, QueueStatus)], out: &mut Exposition<W>) -> io::Result<()> {
    let waiting = gauge(
        "fantail_export_waiting",
        "Events that wait for their target",
    );
    out.family(&waiting, |samples| {
        for (name, status) in exporters {
            samples.add(&[("exporter", *name)], status.waiting)?;
        }
        Ok(())
    })?;
    let mut oldest = gauge(
        "fantail_export_oldest_seconds",
        "How long the oldest event has been waiting",
    );
    oldest.unit = Some("seconds");
    out.family(&oldest, |samples| {
        for (name, status) in exporters {
            let age = status.oldest.unwrap_or_default();
            samples.add(&[("exporter", *name)], age.as_secs_f64())?;
        }
        Ok(())
    })
}
