//! A mail that is delivered by LMTP and read by IMAP.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::error::Error;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Delivers a mail and checks that the mailbox contains one.
pub(super) fn delivers_and_reads(lmtp: &Path, imap: u16) -> Result<(), Error> {
    deliver(lmtp).map_err(|error| Error::new(format!("LMTP: {error}")))?;
    read(imap).map_err(|error| Error::new(format!("IMAP: {error}")))
}

fn deliver(lmtp: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(lmtp)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut talk = Talk::new(stream.try_clone()?, stream);
    talk.expect("220")?;
    for (line, reply) in [
        ("LHLO walk", "250 "),
        ("MAIL FROM:<a@example.org>", "250"),
        ("RCPT TO:<anna>", "250"),
        ("DATA", "354"),
        ("Subject: walk\r\n\r\ntext\r\n.", "250"),
        ("QUIT", "221"),
    ] {
        talk.say(line)?;
        talk.expect(reply)?;
    }
    Ok(())
}

fn read(port: u16) -> io::Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut talk = Talk::new(stream.try_clone()?, stream);
    talk.expect("* OK")?;
    for (line, reply) in [
        ("a LOGIN anna pass", "a OK"),
        ("b SELECT INBOX", "b OK"),
        ("c FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]", "c OK"),
        ("d LOGOUT", "d OK"),
    ] {
        talk.say(line)?;
        talk.expect(reply)?;
    }
    Ok(())
}

/// A connection with a line-based protocol.
struct Talk<R, W> {
    lines: BufReader<R>,
    out: W,
}

impl<R: Read, W: Write> Talk<R, W> {
    fn new(from: R, out: W) -> Self {
        let lines = BufReader::new(from);
        Self { lines, out }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(format!("{line}\r\n").as_bytes())
    }

    /// Reads lines until one starts with `begin`; any other status line is an error.
    fn expect(&mut self, begin: &str) -> io::Result<()> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.starts_with(begin) {
                return Ok(());
            }
            let failed = line.starts_with(['4', '5']) || line.get(1..5) == Some(" NO ");
            if failed || line.get(1..5) == Some(" BAD") {
                return Err(io::Error::other(line.trim_end().to_owned()));
            }
        }
    }
}
