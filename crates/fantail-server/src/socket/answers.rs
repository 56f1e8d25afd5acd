//! Answers that are written while they are made, in pieces.
//!
//! Whoever makes an answer works on a thread where it may wait, and writes to
//! the client's socket itself: there is no buffer larger than a piece, and
//! nothing is handed from thread to thread. But it waits for a slow client for
//! so long only. After that the rest is made at once, and kept until the
//! client takes it: neither a thread nor what an answer is made of (which the
//! workers copy where they write to it meanwhile) is held up by somebody who
//! does not read.

use std::{
    io,
    os::unix::net::UnixStream as StdUnixStream,
    time::{Duration, Instant},
};

use tokio::net::UnixStream;

/// How long the making of an answer may wait for its client, in all.
const WAITING: Duration = Duration::from_secs(1);

/// The way of an answer to its client, on a thread where it may wait.
#[derive(Debug)]
pub(crate) struct Answer {
    stream: StdUnixStream,
    /// What is left of the time to wait.
    left: Duration,
    /// What the client did not take in time.
    rest: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(Self {
            stream,
            left: WAITING,
            rest: Vec::new(),
        })
    }

    /// The stream, and what has to be written to it yet.
    pub(crate) fn finish(self) -> io::Result<(UnixStream, Vec<u8>)> {
        self.stream.set_nonblocking(true)?;
        Ok((UnixStream::from_std(self.stream)?, self.rest))
    }
}

impl io::Write for Answer {
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
        self.rest.extend_from_slice(bytes);
        Ok(bytes.len())
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

    use super::Answer;

    /// What a client gets that reads at once, or not before the answer is made.
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
        let mut answer = Answer::new(ours).unwrap();
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
            // Whoever reads at once has gone on alone.
            let _ = made.send(());
            let (mut stream, rest) = answer.finish().unwrap();
            assert_eq!(!rest.is_empty(), is_too_late);
            stream.write_all(&rest).await.unwrap();
        });
        assert!(client.join().unwrap().unwrap() == expected);
    }

    #[test]
    fn all_of_it_comes() {
        check(false);
        check(true);
    }
}
