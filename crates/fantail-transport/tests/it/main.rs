//! Transports: the bytes that arrive at targets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod faults;
mod file;
mod file_access;
mod full_disk;
#[cfg(feature = "http")]
mod http;
mod ids;
mod journal;
#[cfg(feature = "http")]
mod otlp;
mod peers;
mod positioned_file;
mod queue;
mod spool;
mod spooled;
mod syslog;
mod target;
mod unix;

use std::{fs, io, path::Path};

use fantail_transport::{Batch, DropTransport, LogTransport, Transport, TransportErrorKind};

/// Makes a FIFO.
fn fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
}

fn send(transport: &mut dyn Transport, payloads: &[&str]) {
    for payload in payloads {
        transport.send(payload.as_bytes()).unwrap();
    }
    transport.flush().unwrap();
}

#[test]
fn a_log_gets_a_line_for_each_payload() {
    let mut log = LogTransport::new(Vec::new());
    send(&mut log, &["a\tb", "", "c"]);
    assert_eq!(log.into_inner(), b"a\tb\n\nc\n");
}

#[test]
fn drop_accepts_all_payloads() {
    let delivery = DropTransport.deliver(target::batch("a b").payloads());
    assert_eq!(delivery.settled(), 2);
    assert!(delivery.refusals().is_empty() && delivery.error().is_none());
}

#[test]
fn a_failed_write_to_a_log_is_an_error() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let error = LogTransport::new(full).send(b"lost").unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Write);
    assert!(
        error
            .to_string()
            .starts_with("cannot write to the target: ")
    );
}

/// A writer that accepts `room` writes and keeps them apart.
#[derive(Debug, Default)]
struct Pieces {
    taken: Vec<Vec<u8>>,
    room: usize,
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.taken.len() == self.room {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.taken.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes of up to 4,096 bytes to a pipe are not interleaved; a longer line is
/// one write of its own.
#[test]
fn a_log_gets_whole_lines_in_few_writes() {
    let check_at_once =
        |at_once: usize, lengths: &[usize], room: usize, pieces: &[usize], settled: usize| {
            let mut batch = Batch::new();
            for length in lengths {
                batch.push("x".repeat(*length).as_bytes());
            }
            let taken = Vec::new();
            let mut log = LogTransport::new(Pieces { taken, room }).at_once(at_once);
            let delivery = log.deliver(batch.payloads());
            assert_eq!(delivery.settled(), settled);
            assert_eq!(delivery.error().is_some(), settled < lengths.len());
            let taken = log.into_inner().taken;
            let got: Vec<usize> = taken.iter().map(Vec::len).collect();
            assert_eq!(got, pieces);
            assert!(taken.iter().all(|piece| piece.ends_with(b"\n")));
        };
    let check = |lengths: &[usize], room, pieces: &[usize], settled| {
        check_at_once(4096, lengths, room, pieces, settled);
    };
    check(&[], 9, &[], 0);
    check(&[10, 20], 9, &[32], 2);
    check(&[999, 999, 999, 999, 95, 0], 9, &[4096, 1], 6);
    check(&[999, 5000, 999], 9, &[1000, 5001, 1000], 3);
    check(&[3000; 4], 2, &[3001, 3001], 2);
    check(&[3000; 4], 0, &[], 0);
    check_at_once(10_000, &[3000; 4], 9, &[9003, 3001], 4);
    check_at_once(100_000, &[3000; 4], 9, &[12_004], 4);
}

/// A writer that accepts `room` bytes, fails once, and then accepts all.
#[derive(Debug, Default)]
struct Disk {
    taken: Vec<u8>,
    room: Option<usize>,
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(self.room.unwrap_or(usize::MAX));
        if fits == 0 {
            self.room = None;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room = self.room.map(|room| room - fits);
        self.taken.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_written_before_a_full_disk_are_not_written_again() {
    let mut batch = Batch::new();
    for payload in ["one", "two", "three"] {
        batch.push(payload.as_bytes());
    }
    let check = |room, settled, expected: &str| {
        let taken = Vec::new();
        let mut log = LogTransport::new(Disk {
            taken,
            room: Some(room),
        });
        let delivery = log.deliver(batch.payloads());
        assert_eq!(delivery.settled(), settled, "{room}");
        assert_eq!(delivery.error().is_some(), settled < 3);
        for payload in ["one", "two", "three"].iter().skip(settled) {
            log.send(payload.as_bytes()).unwrap();
        }
        let taken = String::from_utf8(log.into_inner().taken).unwrap();
        assert_eq!(taken, expected);
    };
    check(0, 0, "one\ntwo\nthree\n");
    check(2, 0, "on\none\ntwo\nthree\n");
    check(3, 0, "one\none\ntwo\nthree\n");
    check(4, 1, "one\ntwo\nthree\n");
    check(6, 1, "one\ntw\ntwo\nthree\n");
    check(8, 2, "one\ntwo\nthree\n");
    check(13, 2, "one\ntwo\nthree\nthree\n");
    check(14, 3, "one\ntwo\nthree\n");
}
