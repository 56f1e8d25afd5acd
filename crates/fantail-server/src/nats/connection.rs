//! The connection to the broker, which is made again and again.

use std::{
    fs::File,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event, HeaderMap};
use fantail_fleet::counts::token;
use serde_json::Value;
use tokio::sync::watch;

use super::NatsOptions;
use crate::Log;

/// How long an answer of the broker may take.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The error of JetStream for another sequence than the expected one.
const WRONG_LAST_SEQUENCE: u64 = 10_071;

/// A sequence that no stream reaches.
const NO_SEQUENCE: u64 = i64::MAX as u64;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Link {
    pub(super) is_up: bool,
    /// The number of connections so far.
    pub(super) connections: u64,
}

/// A connection, which is made again when it is lost.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) link: watch::Receiver<Link>,
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored with this sequence.
    Stored(u64),
    /// The subject's last message has this sequence, and not the expected one.
    WrongSequence(u64),
    /// Refused for another reason, or unknown.
    Failed,
}

impl Connection {
    /// Returns a connection that is being made. Its state goes to the log.
    ///
    /// # Errors
    /// The URL is wrong, or a file cannot be read.
    pub(super) async fn open(options: &NatsOptions, name: &[u8], log: &Log) -> io::Result<Self> {
        let log = log.clone();
        let say = move |what: &str| log.say(format_args!("the broker: {what}"));
        Self::open_with(options, name, say).await
    }

    /// Returns a connection that is being made. A function gets its state as text.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub(super) async fn open_with(
        options: &NatsOptions,
        name: &[u8],
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (up, link) = watch::channel(Link::default());
        let told = Told {
            say,
            last: Mutex::default(),
        };
        let mut wanted = ConnectOptions::new()
            .name(format!("fantail {}", String::from_utf8_lossy(name)))
            // A host may listen to answers for itself alone.
            .custom_inbox_prefix(format!("_INBOX.{}", token(name)))
            .request_timeout(Some(ANSWER_TIMEOUT))
            .retry_on_initial_connect()
            .event_callback(move |event| {
                told.note(&event, &up);
                std::future::ready(())
            });
        if let Some(file) = &options.authorities {
            wanted = wanted.add_root_certificates(file.clone());
        }
        if let Some(file) = &options.credentials {
            let read = File::open(file).and_then(io::read_to_string);
            let text = read.map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", file.display()))
            })?;
            wanted = with_credentials(wanted, &text)?;
        }
        let urls: Vec<&str> = options.url.split(',').map(str::trim).collect();
        let client = wanted.connect(urls).await;
        let client =
            client.map_err(|error| io::Error::other(format!("{}: {error}", options.url)))?;
        Ok(Self { client, link })
    }

    /// Publishes a message, if the last message of its subject has the expected sequence.
    pub(super) async fn publish(&self, subject: &str, expected: u64, bytes: Vec<u8>) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", expected.to_string());
        let request = self
            .client
            .request_with_headers(subject.to_owned(), headers, bytes.into());
        let Ok(answer) = request.await else {
            return Outcome::Failed;
        };
        outcome(&answer.payload)
    }

    /// Returns the sequence of a subject's last message, 0 without one. It needs no
    /// permission but that to publish: no message can have the expected sequence.
    pub(super) async fn last_sequence(&self, subject: &str) -> Option<u64> {
        match self.publish(subject, NO_SEQUENCE, Vec::new()).await {
            Outcome::WrongSequence(last) => Some(last),
            Outcome::Stored(_) | Outcome::Failed => None,
        }
    }

    /// Asks the JetStream API.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub(super) async fn ask(&self, subject: String, question: &Value) -> io::Result<Value> {
        let question = question.to_string().into_bytes();
        let answer = self.client.request(subject, question.into()).await;
        let answer = answer.map_err(|error| io::Error::other(error.to_string()))?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        match answer.get("error") {
            None => Ok(answer),
            Some(error) => {
                let text = error.get("description").and_then(Value::as_str);
                let kind = match error.get("code").and_then(Value::as_u64) {
                    Some(404) => io::ErrorKind::NotFound,
                    _ => io::ErrorKind::Other,
                };
                Err(io::Error::new(kind, text.unwrap_or("an error").to_owned()))
            }
        }
    }
}

/// Takes the credentials of a file: a JWT with its key, as `nsc` writes it, or a user and a
/// password with a colon between them.
fn with_credentials(options: ConnectOptions, text: &str) -> io::Result<ConnectOptions> {
    if text.contains("-----BEGIN") {
        return options.credentials(text);
    }
    let both = text.trim().split_once(':');
    let (user, password) = both.ok_or_else(|| {
        let what = "the credentials are neither those of `nsc` nor USER:PASSWORD";
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    Ok(options.user_and_password(user.to_owned(), password.to_owned()))
}

/// Tells the state of a connection, and repeats nothing.
struct Told<F> {
    say: F,
    last: Mutex<String>,
}

impl<F: Fn(&str)> Told<F> {
    fn note(&self, event: &Event, up: &watch::Sender<Link>) {
        match event {
            Event::Connected => {
                up.send_modify(|link| {
                    link.is_up = true;
                    link.connections += 1;
                });
                self.tell("connected".to_owned());
            }
            Event::Disconnected | Event::Closed => {
                up.send_modify(|link| link.is_up = false);
                self.tell("the connection is lost".to_owned());
            }
            Event::ServerError(_) => self.tell(event.to_string()),
            // Failed attempts to connect. The client does not say what failed.
            Event::ClientError(_) => self.tell(format!(
                "cannot connect ({event}); check the address, and with tls:// the trusted \
                 authorities (`--nats-ca`, `nats_ca_file` of an exporter)"
            )),
            _ => {}
        }
    }

    fn tell(&self, what: String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != what {
            (self.say)(&what);
            *last = what;
        }
    }
}

fn outcome(answer: &[u8]) -> Outcome {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return Outcome::Failed;
    };
    let Some(error) = answer.get("error") else {
        let sequence = answer.get("seq").and_then(Value::as_u64);
        return sequence.map_or(Outcome::Failed, Outcome::Stored);
    };
    if error.get("err_code").and_then(Value::as_u64) != Some(WRONG_LAST_SEQUENCE) {
        return Outcome::Failed;
    }
    // "wrong last sequence: 17"
    let text = error.get("description").and_then(Value::as_str);
    let number = text.and_then(|text| text.rsplit(' ').next()?.parse().ok());
    number.map_or(Outcome::Failed, Outcome::WrongSequence)
}

#[cfg(test)]
mod tests {
    use super::{Outcome, outcome};

    #[test]
    fn answers_of_the_broker_are_understood() {
        let wrong = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 17"},"stream":"S","seq":0}"#;
        for (answer, expected) in [
            (&br#"{"stream":"S","seq":5}"#[..], Outcome::Stored(5)),
            (wrong, Outcome::WrongSequence(17)),
            (
                br#"{"error":{"code":503,"err_code":10077}}"#,
                Outcome::Failed,
            ),
            (b"", Outcome::Failed),
        ] {
            assert_eq!(outcome(answer), expected);
        }
    }
}
