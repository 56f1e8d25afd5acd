//! Dumps, written to the client while they are made.
//!
//! The thread that makes a dump may block, and writes to the client's socket: no
//! buffer is larger than a piece of the dump. It waits for a slow client for one
//! second in all. After that it makes the rest at once and keeps it until the
//! client reads: a client that does not read holds neither a thread nor the
//! snapshot, whose segments the workers would have to copy.

use std::{
    io,
    os::unix::net::UnixStream as StdUnixStream,
    time::{Duration, Instant},
};

use tokio::net::UnixStream;

use crate::memory::{Budget, ReservedText};

/// The total time for which a dump waits for its client.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The writer of a dump, used on a thread that may block.
#[derive(Debug)]
pub(crate) struct DumpWriter {
    stream: StdUnixStream,
    /// The rest of the time to wait.
    left: Duration,
    /// The bytes that the client did not read in time.
    rest: ReservedText,
}

impl DumpWriter {
    pub(crate) fn new(stream: UnixStream, memory: &Budget) -> io::Result<Self> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(Self {
            stream,
            left: MAX_WAIT,
            rest: ReservedText::new(memory),
        })
    }

    /// Returns the stream, and the bytes that remain to be written.
    pub(crate) fn finish(self) -> io::Result<(UnixStream, ReservedText)> {
        self.stream.set_nonblocking(true)?;
        Ok((UnixStream::from_std(self.stream)?, self.rest))
    }
}

impl io::Write for DumpWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.left.is_zero() {
            self.stream.set_write_timeout(Some(self.left))?;
            let start = Instant::now();
            let written = self.stream.write(bytes);
            self.left = self.left.saturating_sub(start.elapsed());
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.left = Duration::ZERO;
                }
                written => return written,
            }
        }
        self.rest.push(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        sync::mpsc,
        time::{Duration, Instant},
    };

    use tokio::{io::AsyncWriteExt as _, net::UnixStream, runtime::Builder, task::spawn_blocking};

    use super::DumpWriter;
    use crate::memory::Budget;

    /// Checks that a client gets all of it that reads at once, or after the dump
    /// is made.
    fn check(is_too_late: bool) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let theirs = theirs.into_std().unwrap();
        theirs.set_nonblocking(false).unwrap();
        let (made, wait) = mpsc::channel();
        let client = std::thread::spawn(move || {
            if is_too_late {
                wait.recv().unwrap();
            }
            let mut got = Vec::new();
            (&theirs).read_to_end(&mut got).map(|_| got)
        });
        let expected: Vec<u8> = (0..=u8::MAX).cycle().take(3 << 20).collect();
        let mut answer = DumpWriter::new(ours, &Budget::new(8 << 20)).unwrap();
        let sent = expected.clone();
        let start = Instant::now();
        runtime.block_on(async {
            let making = spawn_blocking(move || {
                sent.chunks(64 << 10)
                    .try_for_each(|piece| answer.write_all(piece))
                    .map(|()| answer)
            });
            let answer = making.await.unwrap().unwrap();
            assert!(start.elapsed() < Duration::from_secs(10));
            // A client that reads at once does not wait for this.
            let _ = made.send(());
            let (mut stream, rest) = answer.finish().unwrap();
            assert_eq!(!rest.as_ref().is_empty(), is_too_late);
            stream.write_all(rest.as_ref()).await.unwrap();
        });
        assert!(client.join().unwrap().unwrap() == expected);
    }

    #[test]
    fn slow_clients_get_the_whole_dump() {
        check(false);
        check(true);
    }
}
