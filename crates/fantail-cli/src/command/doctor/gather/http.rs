//! A minimal HTTP/1.0 client.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use serde_json::Value;

use super::{PATIENCE, connect};

/// The maximum size of a response.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// The maximum size of a response's status line and headers.
const MAX_HEAD_BYTES: u64 = 16 << 10;

/// The address of an HTTP server.
#[derive(Debug, Clone)]
pub(super) enum Door {
    Tcp(SocketAddr),
    Socket(PathBuf),
}

/// A TCP or Unix socket connection.
pub(super) trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Door {
    /// Connects to the server.
    pub(super) fn open(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(Box::new(stream))
            }
            Self::Socket(path) => {
                let stream: UnixStream = connect::to(path)?.stream;
                Ok(Box::new(stream))
            }
        }
    }

    /// Sends an HTTP/1.0 request: responses to HTTP/1.0 are never chunked.
    fn ask(&self, path: &str, token: Option<&str>) -> io::Result<Box<dyn Stream>> {
        let mut stream = self.open()?;
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n{token}\r\n");
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    /// Returns the status of a response without reading the body.
    pub(super) fn status(&self, path: &str) -> io::Result<u16> {
        let stream = self.ask(path, None)?;
        let mut head = [0; 12];
        stream.take(MAX_HEAD_BYTES).read_exact(&mut head)?;
        status(&head)
    }

    /// Returns the JSON body of a response.
    pub(super) fn json(&self, path: &str, token: Option<&str>) -> io::Result<Value> {
        let mut answer = Vec::new();
        let stream = self.ask(path, token)?;
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        match status(&answer)? {
            200 => {}
            status => return Err(io::Error::other(format!("HTTP {status}"))),
        }
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let body = end.and_then(|end| answer.get(end + 4..));
        serde_json::from_slice(body.unwrap_or_default()).map_err(io::Error::other)
    }
}

/// Parses the status from a line such as `HTTP/1.1 200`.
fn status(head: &[u8]) -> io::Result<u16> {
    let not_http = || io::Error::other("the answer is not HTTP");
    let line = head.get(..12).ok_or_else(not_http)?;
    let line = std::str::from_utf8(line).map_err(|_| not_http())?;
    let (version, status) = line.split_once(' ').ok_or_else(not_http)?;
    let status = status.parse().map_err(|_| not_http())?;
    version
        .starts_with("HTTP/1.")
        .then_some(status)
        .ok_or_else(not_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_second_word() {
        assert_eq!(status(b"HTTP/1.1 200 OK").unwrap(), 200);
        assert_eq!(status(b"HTTP/1.0 401").unwrap(), 401);
        assert!(status(b"220 ready: SMTP").is_err());
        assert!(status(b"HTTP/1.1").is_err());
    }
}
