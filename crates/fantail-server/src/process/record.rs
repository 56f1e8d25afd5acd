//! What clients send, kept in a file: a recording that `fantail replay` plays.
//!
//! A line of it is `<connection> TAB <µs since 1970> TAB <line>`, `<line>`
//! being what the client sent, or `<close>` when it went away; a line that it
//! did not finish is left out. Lines of one connection are in order, those of
//! several workers nearly. The file holds what users did, in full: it is made
//! for its owner alone, and must not exist yet.
//!
//! For finding out, not for always: workers wait for the file while they
//! write. Once the limit is reached, or the file fails, it is ended with a
//! whole line, and events go on as before. What was recorded reaches the file
//! when a connection ends, and when much has gathered.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use fantail_event::Timestamp;
use fantail_wire::lines::WRITER_LINE;

use crate::Log;

/// A recording that is being made; clones add to the same.
#[derive(Debug, Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    log: Log,
    /// `None` once it has ended.
    reel: Mutex<Option<Reel>>,
    /// The next connection's name.
    next: AtomicU64,
}

#[derive(Debug)]
struct Reel {
    file: BufWriter<File>,
    /// Bytes that may still be written.
    left: u64,
}

/// How much gathers before it is written.
const GATHERED: usize = 256 * 1024;

impl Recorder {
    /// Begins a recording of at most `limit` bytes.
    ///
    /// # Errors
    /// The file exists already, or cannot be made.
    pub fn create(path: &Path, limit: u64, log: Log) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let reel = Reel {
            file: BufWriter::with_capacity(GATHERED, file),
            left: limit,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                log,
                reel: Mutex::new(Some(reel)),
                next: AtomicU64::new(1),
            }),
        })
    }

    /// A connection's part of it.
    pub(crate) fn tape(&self) -> Tape {
        Tape {
            connection: self.shared.next.fetch_add(1, Ordering::Relaxed),
            last: Timestamp::default(),
            partial: Vec::new(),
            ready: Vec::new(),
            recorder: self.clone(),
        }
    }

    /// Adds whole lines; `flush` has them reach the file.
    fn add(&self, lines: &[u8], flush: bool) {
        let Shared { path, log, .. } = &*self.shared;
        // A thread that panicked left at worst a line cut off.
        let mut reel = self
            .shared
            .reel
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(open) = &mut *reel else {
            return;
        };
        let path = path.display();
        let (added, full) = open.add(lines, flush);
        match added {
            Err(error) => log.say(format_args!("{path}: {error}; the recording has ended")),
            Ok(()) if full => log.say(format_args!("{path} is as large as it may be")),
            Ok(()) => return,
        }
        *reel = None;
    }
}

impl Reel {
    /// Writes as many of the lines as there is room for; whether that was not
    /// all.
    fn add(&mut self, lines: &[u8], flush: bool) -> (io::Result<()>, bool) {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let full = lines.len() > room;
        let fitting = lines.get(..room.min(lines.len())).unwrap_or_default();
        let end = if full {
            memchr::memrchr(b'\n', fitting).map_or(0, |at| at + 1)
        } else {
            fitting.len()
        };
        let fitting = fitting.get(..end).unwrap_or_default();
        self.left -= fitting.len() as u64;
        let written = self.file.write_all(fitting);
        let written = written.and_then(|()| {
            if flush || full {
                self.file.flush()
            } else {
                Ok(())
            }
        });
        (written, full)
    }
}

/// A connection's part of a recording; ends with `<close>` when dropped.
#[derive(Debug)]
pub(crate) struct Tape {
    connection: u64,
    last: Timestamp,
    /// The line that has begun.
    partial: Vec<u8>,
    /// Whole lines on their way.
    ready: Vec<u8>,
    recorder: Recorder,
}

impl Tape {
    /// Adds what was read from the client at this time.
    pub(crate) fn read(&mut self, read: &[u8], now: Timestamp) {
        self.last = now;
        let mut rest = read;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let begun = std::mem::take(&mut self.partial);
            self.line(&[&begun, line]);
        }
        // Beyond that the client is closed.
        if self.partial.len() + rest.len() <= WRITER_LINE {
            self.partial.extend_from_slice(rest);
        }
        if !self.ready.is_empty() {
            self.recorder.add(&self.ready, false);
            self.ready.clear();
        }
    }

    fn line(&mut self, parts: &[&[u8]]) {
        let head = format!("{}\t{}\t", self.connection, self.last.unix_micros());
        self.ready.extend_from_slice(head.as_bytes());
        for part in parts {
            self.ready.extend_from_slice(part);
        }
        self.ready.push(b'\n');
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.line(&[b"<close>"]);
        self.recorder.add(&self.ready, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records what two clients send by turns; gives the file's contents.
    fn check(limit: u64, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        let recorder = Recorder::create(&path, limit, Log::new(|_| {})).unwrap();
        let at = Timestamp::from_unix_micros;
        let (mut one, mut two) = (recorder.tape(), recorder.tape());
        one.read(b"VERSION\tstats-client\t4\t0\nCATE", at(5));
        two.read(b"VERSION\n", at(6));
        one.read(b"GORY\ta\n\n", at(7));
        drop(one);
        two.read(b"not finished", at(8));
        drop(two);
        #[allow(clippy::disallowed_methods, reason = "its own file")]
        let written = std::fs::read(&path).unwrap();
        assert_eq!(
            written.escape_ascii().to_string(),
            expected.replace('|', r"\n")
        );
        let again = Recorder::create(&path, limit, Log::new(|_| {}));
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn lines_are_recorded_up_to_the_limit() {
        let whole = r"1\t5\tVERSION\tstats-client\t4\t0|2\t6\tVERSION|1\t7\tCATEGORY\ta|1\t7\t|1\t7\t<close>|2\t8\t<close>|";
        check(1000, whole);
        check(0, "");
        check(29, r"1\t5\tVERSION\tstats-client\t4\t0|");
        check(30, r"1\t5\tVERSION\tstats-client\t4\t0|");
        check(50, r"1\t5\tVERSION\tstats-client\t4\t0|2\t6\tVERSION|");
    }
}
