//! A tap over the stats-reader socket, at the rate that its client asked for.

use std::{io, sync::atomic::Ordering, time::Duration};

use fantail_wire::reader::{Reply, TapLine, TapParts};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{ControlErrorKind, Handle, handle::OpenTap, worker::tap::TapRequest};

/// How long a tap may last.
const MAX_DURATION: Duration = Duration::from_secs(3600);

/// Events that a tap shows in a second at most.
const MAX_EVENTS_PER_SECOND: u32 = 1000;

/// How long a client may take to read an event.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a tap and shows its events until it ends, or its client is gone.
pub(crate) async fn serve(
    stream: &mut UnixStream,
    handle: &Handle,
    parts: &TapParts<'_>,
) -> io::Result<()> {
    let wanted = TapRequest {
        filter: parts.filter.to_vec(),
        format: parts.format.to_vec(),
    };
    let mut line = Vec::new();
    let mut open = match handle.tap(wanted).await {
        Ok(open) => open,
        Err(error) if error.kind() == ControlErrorKind::Ended => {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Err(error) => {
            Reply::Refused(format!("FANTAIL-TAP: {error}").into_bytes()).write(&mut line);
            return write(stream, &line).await;
        }
    };
    Reply::Done.write(&mut line);
    let shown = match write(stream, &line).await {
        Ok(()) => show(stream, &mut open, parts).await,
        Err(error) => Err(error),
    };
    // Also if the client is gone: nothing else ends the tap.
    handle.untap(open.tap.number);
    shown?;
    line.clear();
    let skipped = open.tap.skipped.load(Ordering::Relaxed);
    TapLine::End { skipped }.write(&mut line);
    write(stream, &line).await
}

async fn show(stream: &mut UnixStream, open: &mut OpenTap, parts: &TapParts<'_>) -> io::Result<()> {
    let lasting = Duration::from_secs(parts.seconds.into()).min(MAX_DURATION);
    let end = tokio::time::sleep_until(Instant::now() + lasting);
    tokio::pin!(end);
    let mut pace = interval(Duration::from_secs(1) / parts.rate.clamp(1, MAX_EVENTS_PER_SECOND));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut line = Vec::new();
    let mut byte = [0];
    for _ in 0..parts.events {
        pace.tick().await;
        let event = tokio::select! {
            event = open.events.recv() => event,
            () = &mut end => None,
            // A client of a tap sends nothing more: it is gone.
            _ = stream.read(&mut byte) => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        let Some(event) = event else { break };
        line.clear();
        TapLine::Event(&event).write(&mut line);
        write(stream, &line).await?;
    }
    Ok(())
}

async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(WRITE_TIMEOUT, stream.write_all(bytes)).await?
}
