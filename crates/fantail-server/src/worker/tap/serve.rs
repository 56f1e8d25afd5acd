//! One who looks on: what a tap lets through, no faster than asked for.

use std::{io, sync::atomic::Ordering, time::Duration};

use fantail_wire::reader::{Reply, TapLine, TapParts};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{
    Handle,
    handle::{TapRequest, Tapped},
};

/// The longest that a tap may last.
const LONGEST: Duration = Duration::from_secs(3600);

/// Events a second at most.
const FASTEST: u32 = 1000;

/// How long the client may take to take an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a tap and shows its events until it ends, or the client has enough.
pub(crate) async fn serve(
    stream: &mut UnixStream,
    handle: &Handle,
    parts: &TapParts<'_>,
) -> io::Result<()> {
    let wanted = TapRequest {
        filter: parts.filter.to_vec(),
        format: parts.format.to_vec(),
    };
    let ended = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let mut line = Vec::new();
    let mut tapped = match handle.tap(wanted).await.ok_or_else(ended)? {
        Ok(tapped) => tapped,
        Err(why) => {
            Reply::Refused(format!("FANTAIL-TAP: {why}").into_bytes()).write(&mut line);
            return write(stream, &line).await;
        }
    };
    Reply::Done.write(&mut line);
    let shown = match write(stream, &line).await {
        Ok(()) => show(stream, &mut tapped, parts).await,
        Err(error) => Err(error),
    };
    // Also when the client is gone: nobody else would end it.
    handle.untap(tapped.tap.number);
    shown?;
    line.clear();
    let skipped = tapped.tap.skipped.load(Ordering::Relaxed);
    TapLine::End { skipped }.write(&mut line);
    write(stream, &line).await
}

async fn show(
    stream: &mut UnixStream,
    tapped: &mut Tapped,
    parts: &TapParts<'_>,
) -> io::Result<()> {
    let lasting = Duration::from_secs(parts.seconds.into()).min(LONGEST);
    let end = tokio::time::sleep_until(Instant::now() + lasting);
    tokio::pin!(end);
    let mut pace = interval(Duration::from_secs(1) / parts.rate.clamp(1, FASTEST));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut line = Vec::new();
    let mut byte = [0];
    for _ in 0..parts.events {
        pace.tick().await;
        let event = tokio::select! {
            event = tapped.events.recv() => event,
            () = &mut end => None,
            // It has nothing to say any more: it is gone.
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
    timeout(PATIENCE, stream.write_all(bytes)).await?
}
