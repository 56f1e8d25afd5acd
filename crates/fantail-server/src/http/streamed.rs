//! Answers that are sent while they are made, in pieces.
//!
//! The thread that makes an answer may block, and waits for its client: at most
//! three pieces are in memory, for any length of the answer and any client. The
//! snapshot is held as long. [`StallTimeout`](super::stall_timeout::StallTimeout)
//! cuts off a client that reads nothing, and the answer is abandoned.
//!
//! An answer of one piece is sent with its length. A longer answer is sent in
//! chunks: without the last chunk, the client knows that it was cut off.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
};

use axum::{body::Body, http::Version};
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

use crate::memory::{Budget, Reservation, ReservedText};

/// The size of a piece.
const PIECE_BYTES: usize = 128 << 10;

/// The number of pieces in memory: one is written, one is queued, one is sent.
const MAX_PIECES: usize = 3;

/// A part of an answer.
#[derive(Debug)]
enum Piece {
    /// More pieces follow.
    One(Bytes),
    /// The last piece.
    Last(Bytes),
}

/// Returns the answer that `make` writes, for a client of this version; `None` if
/// `make` fails before the first piece.
///
/// HTTP/1.0 has no chunks, and no other way to tell that an answer was cut off:
/// such a client gets the answer as one piece.
pub(crate) async fn answer(
    version: Version,
    memory: &Budget,
    make: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static,
) -> Option<Body> {
    let is_whole = version < Version::HTTP_11;
    let (mut whole, mut reserved) = (None, None);
    if is_whole {
        whole = Some(ReservedText::new(memory));
    } else {
        // Always granted: the memory of the report is already reserved, and would be
        // wasted without its pieces.
        let pieces = memory.reserve_anyway(MAX_PIECES * PIECE_BYTES);
        reserved = Some(Arc::new(pieces));
    }
    let made_of = reserved.clone();
    let (out, mut pieces) = mpsc::channel(1);
    let thread = thread::Builder::new().name("answer".to_owned());
    let started = thread.spawn(move || {
        let _reserved = made_of;
        let mut made = Pieces::new(whole, out);
        // Without a last piece the client knows that it failed.
        let _ = make(&mut made).and_then(|()| made.finish());
    });
    // A system without a free thread is no reason to panic.
    started.ok()?;
    match pieces.recv().await? {
        Piece::Last(all) => Some(Body::from(all)),
        Piece::One(first) => Some(Body::new(Streamed {
            first: Some(first),
            pieces,
            has_ended: false,
            _reserved: reserved,
        })),
    }
}

/// The writer that cuts an answer into pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    made: Vec<u8>,
    /// The answer so far, if it is sent as one piece.
    whole: Option<ReservedText>,
    /// Whether a piece was sent.
    is_long: bool,
    out: mpsc::Sender<Piece>,
}

impl Pieces {
    const fn new(whole: Option<ReservedText>, out: mpsc::Sender<Piece>) -> Self {
        Self {
            made: Vec::new(),
            whole,
            is_long: false,
            out,
        }
    }

    /// Sends a piece; waits while another one waits.
    fn send(&self, piece: Piece) -> io::Result<()> {
        let sent = self.out.blocking_send(piece);
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn finish(&mut self) -> io::Result<()> {
        let rest = match self.whole.take() {
            Some(whole) => Bytes::from_owner(whole),
            None => std::mem::take(&mut self.made).into(),
        };
        self.send(Piece::Last(rest))
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(whole) = &mut self.whole {
            return whole.push(bytes).map(|()| bytes.len());
        }
        let room = PIECE_BYTES.saturating_sub(self.made.len());
        let (fitting, _) = bytes.split_at(bytes.len().min(room));
        if self.made.is_empty() && self.is_long {
            self.made.reserve_exact(PIECE_BYTES);
        }
        self.made.extend_from_slice(fitting);
        if self.made.len() == PIECE_BYTES {
            let piece = std::mem::take(&mut self.made);
            self.send(Piece::One(piece.into()))?;
            self.is_long = true;
        }
        Ok(fitting.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of an answer that has more than one piece.
#[derive(Debug)]
struct Streamed {
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Piece>,
    has_ended: bool,
    /// The memory that is reserved for the pieces.
    _reserved: Option<Arc<Reservation>>,
}

impl hyper::body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context));
        self.has_ended = !matches!(piece, Some(Piece::One(_)));
        Poll::Ready(match piece {
            Some(Piece::One(piece)) => Some(Ok(Frame::data(piece))),
            Some(Piece::Last(rest)) if rest.is_empty() => None,
            Some(Piece::Last(rest)) => Some(Ok(Frame::data(rest))),
            // The answer was abandoned.
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        io::{self, Write as _},
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    use axum::http::Version;
    use hyper::body::Body as _;
    use tokio::runtime::Builder;

    use super::{PIECE_BYTES, answer};
    use crate::memory::Budget;

    /// Returns the sizes of the pieces of an answer, its length if that is known
    /// beforehand, and whether it is whole.
    fn received(
        version: Version,
        make: impl FnOnce(&mut super::Pieces) -> io::Result<()> + Send + 'static,
    ) -> Option<(Vec<usize>, Option<u64>, bool)> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut body = answer(version, &Budget::new(1 << 20), make).await?;
            let told = body.size_hint().exact();
            let (mut pieces, mut is_whole) = (Vec::new(), true);
            let mut next = 0_usize;
            while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
            {
                let Ok(frame) = frame else {
                    is_whole = false;
                    break;
                };
                let bytes = frame.into_data().unwrap();
                for byte in &bytes {
                    assert_eq!(*byte, byte_at(next));
                    next += 1;
                }
                pieces.push(bytes.len());
            }
            Some((pieces, told, is_whole))
        })
    }

    fn byte_at(at: usize) -> u8 {
        u8::try_from(at % 251).unwrap()
    }

    fn check(version: Version, length: usize, expected: &[usize]) {
        let made = move |out: &mut super::Pieces| {
            let all: Vec<u8> = (0..length).map(byte_at).collect();
            all.chunks(40_000).try_for_each(|part| out.write_all(part))
        };
        let told = (expected.len() == 1).then_some(length as u64);
        let got = received(version, made);
        assert_eq!(got, Some((expected.to_vec(), told, true)), "{length} bytes");
    }

    #[test]
    fn pieces_are_of_one_size() {
        check(Version::HTTP_11, 5, &[5]);
        check(Version::HTTP_11, PIECE_BYTES - 1, &[PIECE_BYTES - 1]);
        check(Version::HTTP_11, PIECE_BYTES + 7, &[PIECE_BYTES, 7]);
        check(
            Version::HTTP_11,
            3 * PIECE_BYTES,
            &[PIECE_BYTES, PIECE_BYTES, PIECE_BYTES],
        );
        check(Version::HTTP_10, 3 * PIECE_BYTES, &[3 * PIECE_BYTES]);
    }

    #[test]
    fn a_whole_answer_that_finds_no_memory_is_none() {
        let made = |out: &mut super::Pieces| out.write_all(&vec![0; 2 << 20]);
        assert_eq!(received(Version::HTTP_10, made), None);
    }

    #[test]
    fn an_answer_that_fails_has_no_last_piece() {
        let fails_after = |length: usize| {
            move |out: &mut super::Pieces| {
                let all: Vec<u8> = (0..length).map(byte_at).collect();
                out.write_all(&all)?;
                Err(io::ErrorKind::Other.into())
            }
        };
        assert_eq!(received(Version::HTTP_11, fails_after(5)), None);
        let cut_off = Some((vec![PIECE_BYTES], None, false));
        let got = received(Version::HTTP_11, fails_after(PIECE_BYTES + 5));
        assert_eq!(got, cut_off);
    }

    /// Only a few pieces exist while the client does not read, and no more are made
    /// once it is gone.
    #[test]
    fn an_answer_waits_for_its_client() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let made = Arc::new(AtomicUsize::new(0));
        let tally = Arc::clone(&made);
        let memory = Budget::new(0);
        let body = runtime.block_on(answer(Version::HTTP_11, &memory, move |out| {
            let part = vec![0; PIECE_BYTES];
            loop {
                out.write_all(&part)?;
                tally.fetch_add(1, Ordering::Relaxed);
            }
        }));
        thread::sleep(Duration::from_millis(100));
        let now = made.load(Ordering::Relaxed);
        assert!((1..=3).contains(&now), "{now} pieces");
        drop(body);
        // Waits for the thread that makes the answer.
        drop(runtime);
        assert!(made.load(Ordering::Relaxed) <= now);
    }
}
