//! A tap over the stats-reader socket: first kept events, then live events at the
//! requested rate.

use std::{io, sync::atomic::Ordering, time::Duration};

use fantail_event::Timestamp;
use fantail_wire::reader::{Reply, TapLine, TapParts};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{
    ControlErrorKind, Handle,
    handle::{OpenTap, TapView},
    memory::{Reservation, ReservedText},
    process::thread,
    socket::past::{Past, WAITING_PIECES},
    worker::tap::{Audience, TapRequest},
};

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
        audience: Audience::Readers,
        asks: true,
        filter: parts.filter.to_vec(),
        format: parts.format.to_vec(),
        explain: parts.explain,
        ask_for: parts.ask_for.to_vec(),
        past: parts.since.is_some(),
        live: parts.seconds > 0,
        memory: handle.answers.clone(),
    };
    let mut memory = handle.answers.reserve_anyway(0);
    if wanted.past && !memory.grow(handle.recent_bytes) {
        return refuse(stream, ControlErrorKind::Busy.into()).await;
    }
    let mut open = match handle.tap(wanted).await {
        Ok(open) => open,
        Err(error) => return refuse(stream, error).await,
    };
    let shown = conduct(stream, handle, &mut open, parts, memory).await;
    // Also if the client is gone: nothing else ends the tap.
    handle.untap(open.number);
    let unreadable = shown?;
    let mut lines = Vec::new();
    let mut skipped = unreadable;
    match &open.view {
        TapView::Events(tap) => skipped += tap.skipped.load(Ordering::Relaxed),
        TapView::Counts(counter) => {
            let (events, terms) = counter.counts();
            TapLine::Seen { events }.write(&mut lines);
            for term in terms {
                TapLine::Term(term).write(&mut lines);
            }
        }
    }
    TapLine::End { skipped }.write(&mut lines);
    write(stream, &lines).await
}

async fn refuse(stream: &mut UnixStream, error: crate::ControlError) -> io::Result<()> {
    if error.kind() == ControlErrorKind::Ended {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let mut line = Vec::new();
    Reply::Refused(format!("FANTAIL-TAP: {error}").into_bytes()).write(&mut line);
    write(stream, &line).await
}

/// Shows the events of an open tap; returns the number of kept events that cannot be
/// read.
async fn conduct(
    stream: &mut UnixStream,
    handle: &Handle,
    open: &mut OpenTap,
    parts: &TapParts<'_>,
    memory: Reservation,
) -> io::Result<u64> {
    let mut line = Vec::new();
    Reply::Done.write(&mut line);
    write(stream, &line).await?;
    let mut unreadable = 0;
    if let Some(since) = parts.since {
        let past = Past {
            view: open.view.clone(),
            dialect: handle.dialect(),
            since: Timestamp::from_unix_micros(since),
            until: Timestamp::from_unix_micros(parts.until.unwrap_or(i64::MAX)),
            memory,
        };
        unreadable = show_past(stream, open, past).await?;
    }
    if parts.seconds > 0 {
        if parts.since.is_some() {
            line.clear();
            TapLine::Live.write(&mut line);
            write(stream, &line).await?;
        }
        show(stream, open, parts).await?;
    }
    Ok(unreadable)
}

/// Shows the events that were kept when the tap opened.
async fn show_past(stream: &mut UnixStream, open: &mut OpenTap, past: Past) -> io::Result<u64> {
    let mut workers = Vec::new();
    for snapshot in open.recent.drain(..) {
        // A worker that has ended has no events.
        workers.extend(snapshot.await.ok());
    }
    let begins = workers.iter().map(|worker| worker.complete_from).max();
    let left_out = workers.iter().map(|worker| worker.left_out).sum();
    let mut line = Vec::new();
    TapLine::Past {
        begins: begins.unwrap_or_default().unix_micros(),
        left_out,
    }
    .write(&mut line);
    write(stream, &line).await?;
    let (sender, mut pieces) = mpsc::channel(WAITING_PIECES);
    let done = thread::start("past", move || past.run(workers, &sender))?;
    let mut byte = [0];
    loop {
        let piece: Option<Vec<u8>> = tokio::select! {
            piece = pieces.recv() => piece,
            _ = stream.read(&mut byte) => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        let Some(piece) = piece else { break };
        write(stream, &piece).await?;
    }
    Ok(done.await.unwrap_or(0))
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
            event = next_event(&mut open.events) => event,
            () = &mut end => None,
            read = stream.read(&mut byte) => match (read, &open.view) {
                // Any input from the client requests the counts.
                (Ok(1..), TapView::Counts(_)) => None,
                // The client has disconnected, or sends what a tap does not expect.
                _ => return Err(io::ErrorKind::BrokenPipe.into()),
            },
        };
        let Some(event) = event else { break };
        line.clear();
        TapLine::Event(event.as_ref()).write(&mut line);
        write(stream, &line).await?;
    }
    Ok(())
}

/// Returns the next event; never completes for a tap that only counts.
async fn next_event(events: &mut Option<mpsc::Receiver<ReservedText>>) -> Option<ReservedText> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(WRITE_TIMEOUT, stream.write_all(bytes)).await?
}
