//! The recording of one connection.

use std::sync::atomic::Ordering;

use fantail_event::Timestamp;
use fantail_wire::lines::MAX_WRITER_LINE_BYTES;

use super::Recorder;

/// The recording of one connection, which buffers only an unfinished line. Dropping it
/// records `<close>`.
#[derive(Debug)]
pub(crate) struct Tape {
    connection: u64,
    last: Timestamp,
    /// The unfinished line.
    pub(super) partial: Vec<u8>,
    recorder: Recorder,
}

impl Recorder {
    /// Starts the recording of a connection. `state` has the lines that recreate the
    /// state of the connection; `partial` is the beginning of its next line.
    pub(crate) fn tape(&self, state: &[u8], partial: &[u8], now: Timestamp) -> Tape {
        let mut tape = Tape {
            connection: self.shared.next.fetch_add(1, Ordering::Relaxed),
            last: now,
            partial: Vec::new(),
            recorder: self.clone(),
        };
        tape.read(state, now);
        tape.partial.extend_from_slice(partial);
        tape
    }
}

impl Tape {
    /// Records bytes that were read from the connection.
    pub(crate) fn read(&mut self, read: &[u8], now: Timestamp) {
        if self.recorder.is_over() {
            self.partial = Vec::new();
            return;
        }
        self.last = now;
        let end = memchr::memrchr(b'\n', read).map_or(0, |at| at + 1);
        let (lines, rest) = read.split_at(end);
        if let Some(lines) = lines.strip_suffix(b"\n") {
            let begun = std::mem::take(&mut self.partial);
            let lines = lines.split(|byte| *byte == b'\n');
            self.recorder.record(self.head().as_bytes(), &begun, lines);
        }
        // The server closes a connection with a longer line.
        if self.partial.len() + rest.len() <= MAX_WRITER_LINE_BYTES {
            self.partial.extend_from_slice(rest);
        }
    }

    fn head(&self) -> String {
        format!("{}\t{}\t", self.connection, self.last.unix_micros())
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let close = std::iter::once(&b"<close>"[..]);
        self.recorder.record(self.head().as_bytes(), b"", close);
    }
}
