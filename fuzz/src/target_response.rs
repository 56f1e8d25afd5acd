//! Answers of a target of `http-post`, with connections in memory.
//!
//! The first byte selects the form of requests, the second one is the number of
//! payloads. The rest are answers, separated by NUL. An answer that begins with
//! `H` is sent unchanged; otherwise the target makes a well-formed answer from
//! a status and a value of `Retry-After`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use fantail_transport::{
    Batch, HttpBatch, HttpSettings, HttpTransport, Retry, Transport as _, TransportErrorKind,
    internal::connect_by,
};
use ureq::{
    Error,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
    },
};

const MAX_PAYLOADS: usize = 9;
/// The maximum size of buffers; larger ones would only take time.
const BUFFER_BYTES: usize = 16 * 1024;

/// Each payload is settled once, in order, unless the attempt stopped; requests
/// are not repeated more often than halving needs; and well-formed answers have
/// the effects of the table in `docs/exporters.md`.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn target_response(data: &[u8]) {
    let [mode, count, answers @ ..] = data else {
        return;
    };
    let count = usize::from(*count) % MAX_PAYLOADS + 1;
    let mut settings = HttpSettings::new("http://127.0.0.1/", "application/json");
    settings.timeout = None;
    settings.gzip = mode & 4 != 0;
    settings.batch = match mode & 3 {
        0 => HttpBatch::Single,
        1 => HttpBatch::Lines,
        _ => HttpBatch::Array,
    };
    let single = settings.batch == HttpBatch::Single;
    let answers: Vec<Answer> = answers.split(|&byte| byte == 0).map(Answer::new).collect();
    let target = Target::new(&answers);
    let mut transport = HttpTransport::new(settings);
    connect_by(&mut transport, target.clone()).expect("no file to read");
    let mut batch = Batch::new();
    (0..count).for_each(|one| batch.push(one.to_string().as_bytes()));
    let delivery = transport.deliver(batch.payloads());
    let settled = delivery.settled();
    assert!(settled <= count);
    assert_eq!(delivery.error().is_none(), settled == count);
    let mut end = 0;
    for refusal in delivery.refusals() {
        assert!(refusal.payloads.start >= end && !refusal.payloads.is_empty());
        end = refusal.payloads.end;
        assert_eq!(refusal.error.kind(), TransportErrorKind::Refused);
        assert_eq!(refusal.error.retry(), Retry::Never);
    }
    assert!(end <= settled);
    if let Some(error) = delivery.error() {
        assert_ne!(error.retry(), Retry::Never);
        assert!(!error.to_string().contains(char::is_control));
    }
    assert!(target.posts() < 2 * count + 1, "{} posts", target.posts());
    let statuses: Option<VecDeque<u16>> = answers.iter().map(|answer| answer.status).collect();
    if let Some(statuses) = statuses {
        let refused = delivery.refusals().iter();
        let refused: Vec<usize> = refused.flat_map(|one| one.payloads.clone()).collect();
        let mut expected = Expected::new(statuses);
        let whole = if single { 1 } else { count };
        let starts = (0..count).step_by(whole);
        let stopped = starts
            .into_iter()
            .any(|start| !expected.post(start..(start + whole)));
        assert_eq!(stopped, delivery.error().is_some());
        assert_eq!((expected.settled, expected.refused), (settled, refused));
    }
}

/// The expected results of payloads, by the statuses alone.
struct Expected {
    statuses: VecDeque<u16>,
    settled: usize,
    refused: Vec<usize>,
}

impl Expected {
    fn new(statuses: VecDeque<u16>) -> Self {
        Self {
            statuses,
            settled: 0,
            refused: Vec::new(),
        }
    }

    /// Returns whether the next payloads may be posted.
    fn post(&mut self, payloads: std::ops::Range<usize>) -> bool {
        let many = payloads.len() > 1;
        match self.statuses.pop_front() {
            Some(200..=299) => self.settled = payloads.end,
            None | Some(300..=399 | 401 | 403 | 407 | 408 | 429 | 500..) => return false,
            Some(400 | 413 | 422) if many => {
                let middle = payloads.start + payloads.len() / 2;
                return self.post(payloads.start..middle) && self.post(middle..payloads.end);
            }
            Some(_) => {
                self.settled = payloads.end;
                self.refused.extend(payloads);
            }
        }
        true
    }
}

#[derive(Debug, Clone)]
struct Answer {
    bytes: Vec<u8>,
    /// The status of a well-formed answer.
    status: Option<u16>,
}

impl Answer {
    fn new(text: &[u8]) -> Self {
        let bytes = text.to_vec();
        if text.starts_with(b"H") {
            return Self {
                bytes,
                status: None,
            };
        }
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
        let number = digits
            .take(4)
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
        let status = 200 + number % 400;
        let after = text.iter().skip_while(|byte| byte.is_ascii_digit());
        let after = after.filter(|byte| (b' '..=b'~').contains(byte));
        let after: String = after.map(|byte| char::from(*byte)).collect();
        let head = format!("HTTP/1.1 {status} X\r\nRetry-After: {after}\r\n");
        // These two have no body, and no length.
        let length = match status {
            204 | 304 => "\r\n",
            _ => "Content-Length: 2\r\n\r\nok",
        };
        Self {
            bytes: [head.as_bytes(), length.as_bytes()].concat(),
            status: Some(status),
        }
    }
}

/// A target that gives one answer for each request, then closes the connection.
#[derive(Debug, Clone)]
struct Target(Arc<Mutex<Answers>>);

#[derive(Debug)]
struct Answers {
    left: VecDeque<Answer>,
    posts: usize,
}

impl Target {
    fn new(answers: &[Answer]) -> Self {
        Self(Arc::new(Mutex::new(Answers {
            left: answers.iter().cloned().collect(),
            posts: 0,
        })))
    }

    fn posts(&self) -> usize {
        self.0.lock().expect("one thread").posts
    }

    fn answer(&self) -> Option<Vec<u8>> {
        let mut answers = self.0.lock().expect("one thread");
        answers.posts += 1;
        answers.left.pop_front().map(|answer| answer.bytes)
    }
}

impl Connector for Target {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        Ok(Some(Connection {
            target: self.clone(),
            buffers: LazyBuffers::new(BUFFER_BYTES, BUFFER_BYTES),
            is_asked: false,
            unread: VecDeque::new(),
            is_open: true,
        }))
    }
}

#[derive(Debug)]
struct Connection {
    target: Target,
    buffers: LazyBuffers,
    /// Whether a request was sent, and its answer has not begun.
    is_asked: bool,
    unread: VecDeque<u8>,
    is_open: bool,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        self.is_asked = true;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        if std::mem::take(&mut self.is_asked) {
            match self.target.answer() {
                Some(answer) => self.unread.extend(answer),
                None => self.is_open = false,
            }
        }
        let into = self.buffers.input_append_buf();
        let length = into.len().min(self.unread.len());
        for (to, from) in into.iter_mut().zip(self.unread.drain(..length)) {
            *to = from;
        }
        self.buffers.input_appended(length);
        self.is_open &= length > 0;
        Ok(length > 0)
    }

    fn is_open(&mut self) -> bool {
        self.is_open
    }
}
