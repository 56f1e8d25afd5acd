//! Writing an answer.

use std::io;

use fantail_metrics::{
    MetricSettings,
    internal::{Encoder, hash, of_metrics},
    state,
};

use super::{Head, Kind, MAGIC, VERSION};
use crate::Selected;

/// Writes an answer, one metric at a time; `filter` returns the text of a metric's
/// filter.
///
/// # Errors
/// The output fails, or a metric has more than 4 GiB.
pub fn write(
    head: &Head,
    selected: &Selected,
    mut filter: impl FnMut(&MetricSettings) -> Vec<u8>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut body = Encoder::default();
    body.fixed(MAGIC);
    body.number(VERSION);
    body.string(&head.host);
    body.string(&head.version);
    body.fixed(&head.instance);
    body.numbers(&[head.uptime_seconds, head.connections, head.events]);
    if let Some(share) = &head.share {
        let parts = share.parts;
        body.number(1);
        body.string(&share.cluster);
        let ends = [parts.first().into(), parts.last().into()];
        body.numbers(&ends);
        body.number(share.is_complete.into());
    }
    frame(Kind::Head, &summed(body), out)?;
    for metric in &selected.metrics {
        let alone = of_metrics(selected.dialect, vec![metric.clone()]);
        frame(Kind::Metric, &state::write(&alone, &mut filter), out)?;
    }
    let mut end = Encoder::default();
    let halves = [
        selected.unseen >> 64,
        selected.unseen & u128::from(u64::MAX),
    ];
    end.number(selected.metrics.len() as u64);
    for half in halves {
        end.number(u64::try_from(half).unwrap_or(u64::MAX));
    }
    end.number(selected.is_cut.into());
    frame(Kind::End, &summed(end), out)
}

/// Returns a body with its checksum.
fn summed(body: Encoder) -> Vec<u8> {
    let mut bytes = body.bytes;
    bytes.extend_from_slice(&hash(&bytes).to_le_bytes());
    bytes
}

fn frame(kind: Kind, body: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    let too_long = |_| io::Error::other("a metric has more than 4 GiB");
    let length = u32::try_from(body.len()).map_err(too_long)?;
    out.write_all(&[kind as u8])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(body)
}
