//! The stats-reader socket: the requests of `doveadm stats`, and their answers.
//!
//! As with Dovecot, an unknown command has no answer, and an invalid line ends the
//! connection.

use std::{io, time::Duration};

use fantail_config::MetricRequest;
use fantail_exposition::dump::{Column, write_answer_to};
use fantail_wire::{
    lines::LineBuffer,
    reader::{MAX_REQUEST_LINE_BYTES, MetricParts, Reply, Request, Side},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};

use crate::{
    ControlError, ControlErrorKind, Handle, Log,
    handle::HeldReport,
    memory::{Budget, ReservedText},
    process::thread,
    socket::{dump_writer::DumpWriter, peer::Peer, recording, seats::Seat, tap},
};

/// How long a client may take to read an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves a client until it is gone.
pub(crate) async fn serve(stream: UnixStream, seat: Seat, handle: Handle, log: Log) {
    if let Err(error) = converse(stream, &seat, &handle, &log).await
        && error.kind() == io::ErrorKind::InvalidData
    {
        log.say(format_args!("a client of the stats-reader socket: {error}"));
    }
}

async fn converse(
    mut stream: UnixStream,
    seat: &Seat,
    handle: &Handle,
    log: &Log,
) -> io::Result<()> {
    let peer = Peer::of(&stream);
    stream.write_all(Side::Server.greeting()).await?;
    let mut lines = LineBuffer::new(MAX_REQUEST_LINE_BYTES);
    let mut greeted = false;
    let mut read = [0; 4096];
    loop {
        let Some(count) = seat.while_idle(stream.read(&mut read)).await else {
            return Ok(());
        };
        let count = count?;
        if count == 0 {
            return Ok(());
        }
        lines.push(read.get(..count).unwrap_or_default());
        while let Some(line) = lines.next_line().map_err(|error| invalid(&error))? {
            if !greeted {
                Side::Client.check(line).map_err(|error| invalid(&error))?;
                greeted = true;
                continue;
            }
            let request = Request::parse(line).map_err(|error| invalid(&error))?;
            let Some(request) = request else { continue };
            if let Request::Tap(parts) = &request {
                return tap::serve(&mut stream, handle, parts).await;
            }
            let Request::Dump { columns, reset } = &request else {
                let answer = answer(&request, handle, &peer, log).await?;
                timeout(WRITE_TIMEOUT, stream.write_all(&answer)).await??;
                continue;
            };
            let held = match handle.held_report(*reset).await {
                Ok(held) => held,
                Err(error) => {
                    let answer = refused(&request, error)?;
                    timeout(WRITE_TIMEOUT, stream.write_all(&answer)).await??;
                    continue;
                }
            };
            log_change(&request, &peer, log);
            let columns = columns.iter().map(|name| Column::parse(name)).collect();
            let (back, rest) = dump(stream, columns, held, &handle.answers).await?;
            stream = back;
            timeout(WRITE_TIMEOUT, stream.write_all(rest.as_ref())).await??;
        }
    }
}

fn invalid(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// Ends the connection, because the server has ended.
fn ended<T>(_: ControlError) -> io::Result<T> {
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// Writes a dump; returns the stream, and the bytes that the client did not read
/// in time.
async fn dump(
    stream: UnixStream,
    columns: Vec<Column>,
    held: HeldReport,
    memory: &Budget,
) -> io::Result<(UnixStream, ReservedText)> {
    let mut answer = DumpWriter::new(stream, memory)?;
    let made = thread::run("dump", move || {
        write_answer_to(&held.snapshot, &columns, &mut answer)?;
        io::Result::Ok(answer)
    });
    made.await??.finish()
}

/// Answers all requests but those for dumps and taps.
async fn answer(
    request: &Request<'_>,
    handle: &Handle,
    peer: &Peer,
    log: &Log,
) -> io::Result<Vec<u8>> {
    let done = match request {
        Request::AddMetric(parts) => handle.add_metric(metric_request(parts)).await,
        Request::RemoveMetric { name } => handle.remove_metric(name).await,
        Request::Reopen => handle.reopen().await,
        Request::Reload => handle.reload().await,
        Request::StartRecording(parts) => recording::start(parts, handle, peer).await,
        Request::StopRecording => recording::stop(handle, peer).await,
        Request::RecordingStatus => return Ok(recording::status(handle)),
        // Both take the connection over.
        Request::Dump { .. } | Request::Tap(_) => return Ok(Vec::new()),
    };
    match done {
        Ok(()) => {
            log_change(request, peer, log);
            Ok(written(&Reply::Done))
        }
        Err(error) => refused(request, error),
    }
}

/// Logs who has changed what is counted.
fn log_change(request: &Request<'_>, peer: &Peer, log: &Log) {
    match request {
        Request::AddMetric(parts) => {
            let (name, filter) = (parts.name.escape_ascii(), parts.filter.escape_ascii());
            log.say(format_args!("{peer} added the metric {name}: {filter}"));
        }
        Request::RemoveMetric { name } => {
            let name = name.escape_ascii();
            log.say(format_args!("{peer} removed the metric {name}"));
        }
        Request::Dump { reset: true, .. } => log.say(format_args!("{peer} reset all metrics")),
        _ => {}
    }
}

/// The line for a request that was not carried out.
fn refused(request: &Request<'_>, error: ControlError) -> io::Result<Vec<u8>> {
    let why = match (error.kind(), request) {
        (ControlErrorKind::Ended, _) => return ended(error),
        (ControlErrorKind::UnknownMetric, Request::RemoveMetric { name }) => {
            // The words of Dovecot.
            format!("metrics '{}' not found", String::from_utf8_lossy(name))
        }
        _ => format!("{}: {error}", request.command()),
    };
    Ok(written(&Reply::Refused(why.into_bytes())))
}

fn metric_request(parts: &MetricParts<'_>) -> MetricRequest {
    MetricRequest {
        name: parts.name.to_vec(),
        description: parts.description.to_vec(),
        fields: parts.fields.to_vec(),
        group_by: parts.group_by.to_vec(),
        filter: parts.filter.to_vec(),
        exporter: parts.exporter.to_vec(),
        exporter_include: parts.exporter_include.to_vec(),
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut line = Vec::new();
    reply.write(&mut line);
    line
}
