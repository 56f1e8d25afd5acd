//! The page over HTTP: its files, sessions, the stream, and who may have them.

mod openapi;
mod safety;
mod stream;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use fantail_server::ServerOptions;
use tempfile::TempDir;

use crate::fixture::{Fixture, PATIENCE, split_answer};

/// The token of the tests.
const TOKEN: &str = "secret";

/// A server with a page.
pub(crate) struct Page {
    pub(crate) fixture: Fixture,
    _folder: TempDir,
}

impl Page {
    pub(crate) fn new(configuration: &str) -> Self {
        Self::with(configuration, |_| {})
    }

    pub(crate) fn with(configuration: &str, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(&token, TOKEN).unwrap();
        let fixture = Fixture::with(configuration, |options| {
            options.http = Some(([127, 0, 0, 1], 0).into());
            options.http_access.token = Some(token);
            options.http_access.web = true;
            change(options);
        });
        Self {
            fixture,
            _folder: folder,
        }
    }

    /// The head and the body of the answer to a request.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (String, String) {
        let mut stream = self.fixture.scraper();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let (head, body) = split_answer(&answer);
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    /// The JSON of an answer to a signed-in browser.
    pub(crate) fn json(&self, path: &str, cookie: &str) -> serde_json::Value {
        let (head, body) = self.ask("GET", path, &format!("Cookie: {cookie}\r\n"), "");
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}\n{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> (String, String) {
        let headers = format!("Content-Type: application/json\r\n{headers}");
        self.ask("POST", path, &headers, body)
    }

    /// Exchanges the token for the cookie of a session.
    pub(crate) fn sign_in(&self) -> String {
        let (head, _) = self.post("/api/v1/session", "", r#"{"token":"secret"}"#);
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        let (pair, _) = cookie.unwrap().split_once(';').unwrap();
        pair.to_owned()
    }

    /// Opens the stream of a page.
    pub(crate) fn stream(&self, query: &str, cookie: &str) -> EventStream {
        EventStream::new(self.ask_for_stream(query, cookie))
    }

    /// Asks for the stream of a page, and reads nothing.
    pub(crate) fn ask_for_stream(&self, query: &str, cookie: &str) -> TcpStream {
        let mut stream = self.fixture.scraper();
        let request = format!(
            "GET /api/v1/stream{query} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

/// The messages of a stream.
pub(crate) struct EventStream {
    pub(crate) status: String,
    lines: BufReader<TcpStream>,
}

impl EventStream {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = BufReader::new(stream);
        let mut status = String::new();
        lines.read_line(&mut status).unwrap();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        Self { status, lines }
    }

    /// Reads until the server ends the stream.
    pub(crate) fn wait_for_the_end(&mut self) {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
    }

    /// The data of the next message of this kind.
    pub(crate) fn next_of(&mut self, kind: &str) -> serde_json::Value {
        let wanted = format!("event: {kind}\n");
        let mut line = String::new();
        loop {
            line.clear();
            assert!(
                self.lines.read_line(&mut line).unwrap() > 0,
                "the stream ended"
            );
            if line != wanted {
                continue;
            }
            line.clear();
            self.lines.read_line(&mut line).unwrap();
            return serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
        }
    }
}
