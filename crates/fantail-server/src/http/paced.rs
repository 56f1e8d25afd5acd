//! A stream whose reader must not stall.
//!
//! What is written has to get somewhere: at least so many bytes in the time
//! allowed, as long as there is more to write. How long a request may take to
//! come is not decided here.

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

/// The least that must be taken in the time allowed.
const PROGRESS: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    allowed: Duration,
    timer: Pin<Box<Sleep>>,
    /// What was written since the timer was set; none while nothing waits.
    since: Option<usize>,
}

impl<S> Paced<S> {
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

    /// The stream takes nothing: how long already?
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.since.is_none() {
            self.begin();
        }
        ready!(self.timer.as_mut().poll(context));
        if self.since.is_some_and(|written| written >= PROGRESS) {
            self.begin();
            // Asked at once, so that it will wake us.
            return match self.timer.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => Poll::Ready(io::ErrorKind::TimedOut.into()),
            };
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
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

    /// Else a whole answer would be copied to stand behind its head.
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

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
