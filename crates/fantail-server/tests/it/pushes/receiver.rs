//! A receiver of pushes that answers as it is told.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use crate::fixture::PATIENCE;

/// What a receiver does with a request.
pub(super) enum Reply {
    /// Answers this status and these lines of the header.
    Status(u16, &'static str),
    /// Answers 200 with this body.
    Body(&'static str),
    /// Answers nothing, and keeps the connection.
    Silence,
    /// Closes the connection without an answer.
    Close,
}

impl Reply {
    pub(super) const fn status(status: u16) -> Self {
        Self::Status(status, "")
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// In lower case, `name: value`.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// A series of remote write, with its one sample.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    pub(super) millis: i64,
}

pub(super) struct Receiver {
    pub(super) url: String,
    requests: mpsc::Receiver<Request>,
    /// The series of the last snapshot, by body.
    snapshot: Arc<Mutex<Vec<Vec<Series>>>>,
    largest: Arc<AtomicUsize>,
}

impl Receiver {
    /// `reply` gets the number of the request, from 0.
    pub(super) fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        let reply = Arc::new((AtomicUsize::new(0), reply));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (sender, reply) = (sender.clone(), Arc::clone(&reply));
                thread::spawn(move || {
                    while let Some(request) = read(&mut stream) {
                        let number = reply.0.fetch_add(1, Ordering::Relaxed);
                        // Before the answer: a test may look as soon as it was counted.
                        let _ = sender.send(request);
                        if !answer(stream.get_mut(), &reply.1(number)) {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            url,
            requests,
            snapshot: Arc::default(),
            largest: Arc::default(),
        }
    }

    #[track_caller]
    pub(super) fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }

    pub(super) fn try_next(&self) -> Option<Request> {
        self.requests.try_recv().ok()
    }

    /// Returns the series of the newest snapshot, by body, as far as they have come.
    pub(super) fn snapshot(&self) -> Vec<Vec<Series>> {
        let mut snapshot = self.snapshot.lock().unwrap();
        while let Some(request) = self.try_next() {
            let length = request.unpacked().len();
            self.largest.fetch_max(length, Ordering::Relaxed);
            let series = request.series();
            let time = |series: &[Series]| series.first().map(|one| one.millis);
            if snapshot.last().and_then(|last| time(last)) != time(&series) {
                snapshot.clear();
            }
            snapshot.push(series);
        }
        snapshot.clone()
    }

    /// Returns the size of the largest body of a snapshot.
    pub(super) fn largest(&self) -> usize {
        self.largest.load(Ordering::Relaxed)
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_lowercase()),
        }
    }
    let mut lengths = headers
        .iter()
        .filter_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; lengths.next()?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Request { headers, body })
}

/// Returns whether the connection goes on.
fn answer(stream: &mut TcpStream, reply: &Reply) -> bool {
    let (status, headers, body) = match reply {
        Reply::Status(status, headers) => (*status, *headers, ""),
        Reply::Body(body) => (200, "", *body),
        Reply::Silence => return true,
        Reply::Close => return false,
    };
    let length = match status {
        204 => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let text = format!("HTTP/1.1 {status} x\r\n{length}{headers}\r\n{body}");
    stream.write_all(text.as_bytes()).is_ok()
}

impl Request {
    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|one| one == header)
    }

    fn unpacked(&self) -> Vec<u8> {
        snap::raw::Decoder::new()
            .decompress_vec(&self.body)
            .unwrap()
    }

    /// Returns the series of a request of remote write.
    pub(super) fn series(&self) -> Vec<Series> {
        let request = self.unpacked();
        let fields = fields(&request).into_iter();
        let series = fields.filter(|(number, _)| *number == 1);
        series.map(|(_, message)| series_of(message)).collect()
    }

    /// Returns the time of the first sample.
    pub(super) fn time(&self) -> i64 {
        self.series()[0].millis
    }
}

impl Series {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns whether this is the marker of the end of a series.
    pub(super) fn is_end(&self) -> bool {
        self.value.to_bits() == 0x7ff0_0000_0000_0002
    }
}

fn series_of(message: &[u8]) -> Series {
    let all = fields(message);
    let (sample, labels) = all.split_last().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let labels = labels.iter().map(|(_, label)| match fields(label)[..] {
        [(1, name), (2, value)] => (text(name), text(value)),
        ref other => panic!("{other:?}"),
    });
    // The value is field 1, a double, and the time field 2, a varint.
    let [0x09, value @ ..] = sample.1 else {
        panic!("{sample:?}");
    };
    let (value, mut time) = value.split_at(8);
    assert_eq!(time[0], 0x10);
    time = &time[1..];
    Series {
        labels: labels.collect(),
        value: f64::from_le_bytes(value.try_into().unwrap()),
        millis: varint(&mut time).cast_signed(),
    }
}

/// Returns the number and the contents of each field of a message that has only fields with
/// lengths.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        assert_eq!(key & 7, 2, "a field with a length");
        let length = usize::try_from(varint(&mut message)).unwrap();
        let (contents, rest) = message.split_at(length);
        fields.push((key >> 3, contents));
        message = rest;
    }
    fields
}

fn varint(from: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().unwrap();
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return number;
        }
    }
    panic!("a varint of more than ten bytes");
}
