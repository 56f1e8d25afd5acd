//! Recordings: files with all that clients send, for `fantail replay`.
//!
//! A line is `<connection> TAB <µs since 1970> TAB <line>`, where `<line>` is a
//! line of the client, or `<close>` at its end. Unfinished lines are left out.
//! Lines of one connection are in order, those of several workers nearly. A
//! recording has personal data: only its owner may read the file, which must not
//! exist before.
//!
//! Workers wait for the file while they write, so a recording is for analysis and
//! not for permanent use. At its limit, or after an error, it ends with a whole
//! line. Lines are written when a connection ends, and in blocks.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use fantail_event::Timestamp;
use fantail_wire::lines::MAX_WRITER_LINE_BYTES;

use crate::Log;

/// Settings of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// The file, which must not exist.
    pub path: PathBuf,
    /// Bytes after which the recording ends.
    pub limit: u64,
}

/// A running recording; clones write to the same file.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    log: Log,
    /// `None` after the end of the recording.
    reel: Mutex<Option<Reel>>,
    /// Number of the next connection.
    next: AtomicU64,
}

#[derive(Debug)]
struct Reel {
    file: BufWriter<File>,
    /// Bytes that may still be written.
    left: u64,
}

/// Bytes of the blocks that are written.
const BLOCK_BYTES: usize = 256 * 1024;

impl Recorder {
    /// Begins a recording.
    ///
    /// # Errors
    /// The file exists or cannot be created. The message names the file.
    pub(crate) fn create(settings: &RecordSettings, log: Log) -> io::Result<Self> {
        let RecordSettings { path, limit } = settings;
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let what = format!("cannot create the recording {}: {error}", path.display());
            io::Error::new(error.kind(), what)
        })?;
        let reel = Reel {
            file: BufWriter::with_capacity(BLOCK_BYTES, file),
            left: *limit,
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

    /// Returns the recording of a new connection.
    pub(crate) fn tape(&self) -> Tape {
        Tape {
            connection: self.shared.next.fetch_add(1, Ordering::Relaxed),
            last: Timestamp::default(),
            partial: Vec::new(),
            recorder: self.clone(),
        }
    }

    /// Writes with the open file; ends the recording at its limit and after an
    /// error.
    fn write(&self, write: impl FnOnce(&mut Reel) -> io::Result<Written>) {
        let Shared { path, log, .. } = &*self.shared;
        // A thread that panicked left at worst a partial line.
        let mut reel = self
            .shared
            .reel
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(open) = &mut *reel else {
            return;
        };
        let path = path.display();
        match write(open) {
            Ok(Written::All) => return,
            Ok(Written::Full) => log.say(format_args!(
                "the recording {path} has reached its limit (`--record-limit`) and has ended"
            )),
            Err(error) => log.say(format_args!(
                "cannot write the recording {path}: {error}; it has ended"
            )),
        }
        *reel = None;
    }
}

/// Whether lines were written.
enum Written {
    All,
    /// The limit does not allow the next line.
    Full,
}

impl Reel {
    /// Writes a line of several parts.
    fn line(&mut self, parts: &[&[u8]]) -> io::Result<Written> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let Some(left) = self.left.checked_sub(bytes as u64 + 1) else {
            self.file.flush()?;
            return Ok(Written::Full);
        };
        self.left = left;
        for part in parts {
            self.file.write_all(part)?;
        }
        self.file.write_all(b"\n")?;
        Ok(Written::All)
    }
}

/// The recording of a connection; dropping it records `<close>`. It keeps nothing
/// but an unfinished line.
#[derive(Debug)]
pub(crate) struct Tape {
    connection: u64,
    last: Timestamp,
    /// The line that has begun.
    partial: Vec<u8>,
    recorder: Recorder,
}

impl Tape {
    /// Records bytes that were read from the connection.
    pub(crate) fn read(&mut self, read: &[u8], now: Timestamp) {
        self.last = now;
        let end = memchr::memrchr(b'\n', read).map_or(0, |at| at + 1);
        let (lines, rest) = read.split_at(end);
        if let Some(lines) = lines.strip_suffix(b"\n") {
            let mut partial = std::mem::take(&mut self.partial);
            let head = self.head();
            self.recorder.write(|reel| {
                for line in lines.split(|byte| *byte == b'\n') {
                    let begun = std::mem::take(&mut partial);
                    if let Written::Full = reel.line(&[head.as_bytes(), &begun, line])? {
                        return Ok(Written::Full);
                    }
                }
                Ok(Written::All)
            });
        }
        // The connection is closed for a longer line.
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
        let head = self.head();
        self.recorder.write(|reel| {
            let written = reel.line(&[head.as_bytes(), b"<close>"])?;
            reel.file.flush()?;
            Ok(written)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &tempfile::TempDir, limit: u64) -> RecordSettings {
        RecordSettings {
            path: folder.path().join("recording"),
            limit,
        }
    }

    /// Records what two clients send by turns, and compares the file.
    fn check(limit: u64, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder, limit);
        let recorder = Recorder::create(&settings, Log::new(|_| {})).unwrap();
        let at = Timestamp::from_unix_micros;
        let (mut one, mut two) = (recorder.tape(), recorder.tape());
        one.read(b"VERSION\tstats-client\t4\t0\nCATE", at(5));
        two.read(b"VERSION\n", at(6));
        one.read(b"GORY\ta\n\n", at(7));
        drop(one);
        two.read(b"not finished", at(8));
        drop(two);
        #[allow(clippy::disallowed_methods, reason = "its own file")]
        let written = std::fs::read(&settings.path).unwrap();
        assert_eq!(
            written.escape_ascii().to_string(),
            expected.replace('|', r"\n")
        );
        let error = Recorder::create(&settings, Log::new(|_| {})).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let path = settings.path.display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
    }

    /// A connection once kept the bytes of its largest read.
    #[test]
    fn a_connection_keeps_only_an_unfinished_line() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(&settings(&folder, 1 << 30), Log::new(|_| {}));
        let mut tape = recorder.unwrap().tape();
        let lines = "EVENT\t0\n".repeat(8_000);
        tape.read(lines.as_bytes(), Timestamp::default());
        assert_eq!(tape.partial.capacity(), 0);
        tape.read(b"EVENT", Timestamp::default());
        assert!((5..100).contains(&tape.partial.capacity()));
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
