//! Recordings of clients.
//!
//! The input is a recording. It is also the text that several clients send in
//! turns, in pieces, which is recorded and read again.

use std::collections::HashMap;

use fantail_wire::{
    capture::{Capture, CaptureErrorKind},
    lines::MAX_WRITER_LINE_BYTES,
};

/// The number of clients that send in turns.
const CLIENTS: usize = 3;

/// Each line of a recording is kept, or is the end of a connection, or is an
/// error with its line number; kept lines equal the file; and the lines that
/// clients finished are in the recording.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn recording(data: &[u8]) {
    is_what_the_file_says(data);
    sent_lines_come_back(data);
}

fn is_what_the_file_says(file: &[u8]) {
    let capture = Capture::parse(file);
    let mut lines: Vec<&[u8]> = file.split(|&byte| byte == b'\n').collect();
    let unfinished = lines.pop().is_some_and(|last| !last.is_empty());
    let count = lines.len() + usize::from(unfinished);
    let mut seen = vec![false; count];
    let mut see = |number: usize| {
        let before = std::mem::replace(&mut seen[number - 1], true);
        assert!(!before, "line {number} twice");
    };
    for error in &capture.errors {
        see(error.line());
        let last = unfinished && error.line() == count;
        assert_eq!(error.kind() == CaptureErrorKind::Truncated, last);
    }
    for connection in &capture.connections {
        assert!(!connection.lines.is_empty());
        let mut before = 0;
        for kept in &connection.lines {
            see(kept.number);
            assert!(before < kept.number);
            before = kept.number;
            let line = lines[kept.number - 1];
            assert!(line.starts_with(&[connection.name, b"\t"].concat()));
            assert!(line.ends_with(&[b"\t", kept.line].concat()));
            assert!(!kept.is_close());
        }
    }
    for (line, seen) in lines.iter().zip(seen) {
        let is_close = line.ends_with(b"\t<close>");
        assert!(seen || is_close, "{} is lost", line.escape_ascii());
    }
}

/// Records like the server: whole lines, with the connection and the time.
fn sent_lines_come_back(sent: &[u8]) {
    if sent.len() > MAX_WRITER_LINE_BYTES {
        return;
    }
    let mut file = Vec::new();
    let mut begun = vec![Vec::new(); CLIENTS];
    let mut expected: HashMap<Vec<u8>, Vec<(i64, Vec<u8>)>> = HashMap::new();
    for (time, read) in (0..).zip(sent.chunks(11)) {
        let client = time as usize % CLIENTS;
        let name = client.to_string().into_bytes();
        for piece in read.split_inclusive(|&byte| byte == b'\n') {
            begun[client].extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                file.extend_from_slice(format!("{client}\t{time}\t").as_bytes());
                file.extend_from_slice(&begun[client]);
                let mut line = std::mem::take(&mut begun[client]);
                line.pop();
                // Such a line ends the connection, as in the server.
                if line == b"<close>" {
                    return;
                }
                expected.entry(name.clone()).or_default().push((time, line));
            }
        }
    }
    let capture = Capture::parse(&file);
    assert_eq!(capture.errors, []);
    assert_eq!(capture.connections.len(), expected.len());
    for connection in capture.connections {
        let lines = connection.lines.iter();
        let lines: Vec<_> = lines
            .map(|kept| (kept.micros, kept.line.to_vec()))
            .collect();
        assert_eq!(Some(&lines), expected.get(connection.name));
    }
}
