//! The limit where each line is a write of its own: a reader that throws away
//! what it reads.
//!
//! Any stats process has to take its lines from the
//! kernel first. So no process can take less than this one, and none can be
//! further ahead of Dovecot's.

use std::{
    fs,
    io::Read,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    thread,
    time::Duration,
};

use crate::{compare::feed, error::Error};

/// How long it waits for more lines after a read that did not fill half of the
/// buffer. The first never waits but for the socket.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(200),
];

/// The least time on a processor that reading these parts takes, of all ways to
/// wait for them.
pub(crate) fn reading(folder: &Path, parts: &[&[u8]]) -> Result<Duration, Error> {
    let taken = PAUSES.iter().map(|pause| one(folder, parts, *pause));
    let taken: Vec<Duration> = taken.collect::<Result<_, _>>()?;
    Ok(taken.into_iter().min().unwrap_or_default())
}

fn one(folder: &Path, parts: &[&[u8]], pause: Duration) -> Result<Duration, Error> {
    let socket = folder.join("bare");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).map_err(Error::at("listen on", &socket))?;
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (client, _) = listener.accept().map_err(Error::at("accept on", &socket))?;
            drain(client, pause)
        });
        feed::play(&socket, parts)?;
        let wrong = |_| Error::new("the reader that throws away ended early");
        reader.join().map_err(wrong)?
    })
}

/// Reads to the end, as much at once as `fantail serve` does.
fn drain(mut client: UnixStream, pause: Duration) -> Result<Duration, Error> {
    let wrong = |error| Error::new(format!("the reader that throws away: {error}"));
    let mut buffer = vec![1; 64 << 10];
    let before = own_time()?;
    loop {
        let count = client.read(&mut buffer).map_err(wrong)?;
        if count == 0 {
            return Ok(own_time()?.saturating_sub(before));
        }
        if !pause.is_zero() && count < buffer.len() / 2 {
            thread::sleep(pause);
        }
    }
}

/// What this thread has used of a processor.
fn own_time() -> Result<Duration, Error> {
    let path = Path::new("/proc/thread-self/schedstat");
    let text = fs::read_to_string(path).map_err(Error::at("read", path))?;
    let first = text.split_whitespace().next();
    let nanoseconds = first.and_then(|number| number.parse().ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| Error::new("schedstat: no number"))
}
