//! A stream that fails if its reader stalls.
//!
//! While there is more to write, the reader has to take at least 16 KiB in the time
//! allowed. The time for a request is not limited here.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Bytes that the reader has to take in the time allowed.
const MIN_PROGRESS_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct StallTimeout<S> {
    stream: S,
    allowed: Duration,
    timer: Pin<Box<Sleep>>,
    /// Bytes written since the timer was set; `None` while no write waits.
    since: Option<usize>,
}

impl<S> StallTimeout<S> {
    pub(super) fn new(stream: S, allowed: Duration) -> Self {
        Self {
            stream,
            allowed,
            timer: Box::pin(sleep(allowed)),
            since: None,
        }
    }

    fn begin(&mut self) {
        self.timer.as_mut().reset(Instant::now() + self.allowed);
        self.since = Some(0);
    }

    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(written) => {
                if let (Ok(written), Some(since)) = (&written, &mut self.since) {
                    *since += written;
                }
                Poll::Ready(written)
            }
            Poll::Pending => self.wait(context).map(Err),
        }
    }

    /// The stream takes nothing: fails once the time is over.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.since.is_none() {
            self.begin();
        }
        ready!(self.timer.as_mut().poll(context));
        if self
            .since
            .is_some_and(|written| written >= MIN_PROGRESS_BYTES)
        {
            self.begin();
            // Polled at once, so that the timer wakes this task.
            return match self.timer.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => Poll::Ready(io::ErrorKind::TimedOut.into()),
            };
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(written, context)
    }

    /// Otherwise hyper copies the answer into the buffer of its head.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.since = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
