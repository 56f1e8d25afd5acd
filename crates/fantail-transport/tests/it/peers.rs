//! Servers for the tests of transports, small ones in a thread.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for what has to come.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(20);

/// Waits until something is there.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + MAX_WAIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file's text; empty if it is not there.
pub(crate) fn text(path: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = fs::File::open(path) {
        file.read_to_end(&mut text).unwrap();
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Returns a port without a listener.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    /// Which connection it came by, from 0.
    pub(crate) connection: usize,
    pub(crate) line: String,
    /// In lower case, `name: value`.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|one| one == header)
    }
}

/// What a server does with a request.
pub(crate) enum Reply {
    /// Answers this status and these lines of the header.
    Status(u16, &'static str),
    /// Answers this status and this body.
    Body(u16, &'static str),
    /// Answers nothing, and keeps the connection.
    Silence,
    /// Sends the beginning of an answer, and closes.
    Cut,
}

/// An HTTP server that answers as it is told.
pub(crate) struct HttpServer {
    pub(crate) url: String,
    pub(crate) requests: mpsc::Receiver<Request>,
}

impl HttpServer {
    /// `reply` gets the number of the request, from 0, and its body.
    pub(crate) fn start(reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            let mut number = 0;
            for (connection, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(request) = read_request(connection, &mut stream) {
                    let reply = reply(number, &request);
                    number += 1;
                    sender.send(request).ok();
                    if !answer(stream.get_mut(), &reply) {
                        break;
                    }
                }
            }
        });
        Self { url, requests }
    }

    #[track_caller]
    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(MAX_WAIT).unwrap()
    }
}

fn read_request(connection: usize, stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers: Vec<String> = lines.iter().skip(1).map(|one| one.to_lowercase()).collect();
    let length = headers
        .iter()
        .find_map(|header| header.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Request {
        connection,
        line: lines.first()?.clone(),
        headers,
        body,
    })
}

/// Whether the connection goes on.
fn answer(stream: &mut TcpStream, reply: &Reply) -> bool {
    match reply {
        Reply::Status(status, headers) => {
            let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 2\r\n{headers}\r\nok");
            stream.write_all(text.as_bytes()).is_ok()
        }
        Reply::Body(status, body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).is_ok()
        }
        Reply::Silence => true,
        Reply::Cut => {
            stream.write_all(b"HTTP/1.1 200 O").ok();
            false
        }
    }
}
