//! The limit where each line is a write of its own: a reader that throws away
//! what it reads.
//!
//! Any stats process has to take its lines from the kernel first. No process takes
//! less time than this reader, so none can be further ahead of Dovecot's.

use std::{
    fs,
    io::{ErrorKind, Read},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    thread,
    time::Duration,
};

use rustix::event::epoll;

use crate::{
    error::Error,
    measure::compare::feed::{Clients, Script},
};

/// The pauses after the sockets were emptied. With the first, the reader waits only
/// for the next line.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_micros(200),
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
];

/// Sockets that one wait reports.
const EVENTS: usize = 8_192;

/// The longest pause for each client that writes. A single client fills its socket in
/// a millisecond, and waits for the rest of the pause.
const PAUSE_PER_CLIENT: Duration = Duration::from_millis(2);

/// The least CPU time to read what the clients of a script write, of all pauses.
pub(crate) fn reading(folder: &Path, script: &Script<'_>) -> Result<Duration, Error> {
    let longest = PAUSE_PER_CLIENT * u32::try_from(script.clients()).unwrap_or(u32::MAX);
    let pauses = PAUSES.iter().filter(|pause| **pause <= longest);
    let taken = pauses.map(|pause| one(folder, script, *pause));
    let taken: Vec<Duration> = taken.collect::<Result<_, _>>()?;
    Ok(taken.into_iter().min().unwrap_or_default())
}

fn one(folder: &Path, script: &Script<'_>, pause: Duration) -> Result<Duration, Error> {
    let socket = folder.join("bare");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).map_err(Error::at("listen on", &socket))?;
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let accept = |_| listener.accept().map(|(client, _)| client);
            let accepted = (0..script.clients()).map(accept);
            let accepted = accepted.collect::<Result<_, _>>();
            let clients = accepted.map_err(Error::at("accept on", &socket))?;
            let wrong = |error| Error::new(format!("the reader that throws away: {error}"));
            drain(clients, pause).map_err(wrong)
        });
        Clients::connect(&socket, script)?.play(script)?;
        let wrong = |_| Error::new("the reader that throws away ended early");
        reader.join().map_err(wrong)?
    })
}

/// Reads to the end, by edge-triggered readiness, as `fantail serve` does.
fn drain(clients: Vec<UnixStream>, pause: Duration) -> std::io::Result<Duration> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    for (number, client) in clients.iter().enumerate() {
        client.set_nonblocking(true)?;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&poll, client, data, flags)?;
    }
    let mut clients: Vec<Option<UnixStream>> = clients.into_iter().map(Some).collect();
    let mut open = clients.len();
    let mut buffer = vec![1; 64 << 10];
    let mut events = Vec::with_capacity(EVENTS);
    let before = own_time()?;
    while open > 0 {
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let flags = event.flags;
            let at = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            if let Some(client) = clients.get_mut(at)
                && let Some(stream) = client
                && is_over(
                    stream,
                    &mut buffer,
                    flags.contains(epoll::EventFlags::RDHUP),
                )?
            {
                *client = None;
                open -= 1;
            }
        }
        if !pause.is_zero() && open > 0 {
            thread::sleep(pause);
        }
    }
    Ok(own_time()?.saturating_sub(before))
}

/// Empties a socket; returns whether it has ended. A read that does not fill the
/// buffer has emptied the socket, unless the client has ended.
fn is_over(stream: &mut UnixStream, buffer: &mut [u8], has_ended: bool) -> std::io::Result<bool> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return Ok(true),
            Ok(count) if count < buffer.len() && !has_ended => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// The CPU time of this thread.
fn own_time() -> std::io::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next();
    let nanoseconds = first.and_then(|number| number.parse().ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| std::io::Error::other("schedstat: no number"))
}
