//! Reading the stream: from its first message to the last one, then what follows.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{HeaderMap, Message as NatsMessage, StatusCode, Subscriber};
use fantail_fleet::counts::{Aggregator, Message, Subject};
use futures_core::Stream as _;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{NatsOptions, connection::Connection, stream};
use crate::Log;

/// How often the broker says that it has nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The pause before the stream is read again after an error.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The most distributions of a message: one of 1 MiB can have many empty ones.
const MAX_DISTRIBUTIONS: usize = 500_000;

/// What was read, which several threads use.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) since: Instant,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) aggregator: Aggregator,
    /// The sequence of the last message.
    pub(super) sequence: u64,
    /// Whether all messages were read once.
    pub(super) is_ready: bool,
    /// Whether messages that the broker has may not be here.
    pub(super) is_behind: bool,
    /// Messages that are damaged, of a later format, or not of their subject.
    pub(super) refused: u64,
}

impl Shared {
    pub(super) fn new(aggregator: Aggregator) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                aggregator,
                is_behind: true,
                ..State::default()
            }),
            since: Instant::now(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message of a subject.
    fn take(&self, subject: &str, sequence: u64, bytes: &[u8]) {
        let read = Message::read(bytes, MAX_DISTRIBUTIONS);
        let now = self.since.elapsed();
        let mut state = self.state();
        state.sequence = sequence;
        match read {
            Ok(message) if Subject::of(&message).to_string() == subject => {
                state.aggregator.take(message, now);
            }
            _ => state.refused += 1,
        }
    }
}

/// Reads a stream for ever.
pub(super) struct Reader {
    pub(super) options: NatsOptions,
    pub(super) replicas: u32,
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
}

impl Reader {
    pub(super) async fn run(self) {
        let mut last_error = String::new();
        loop {
            let Err(error) = self.follow().await;
            self.shared.state().is_behind = true;
            let error = error.to_string();
            if error != last_error {
                self.log.say(format_args!("the stream of counts: {error}"));
                last_error = error;
            }
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Reads what was not read before, and what follows. A stream that has lost messages is
    /// read from its start: what was read stays.
    async fn follow(&self) -> io::Result<std::convert::Infallible> {
        let mut up = self.connection.link.clone();
        let waited = up.wait_for(|link| link.is_up).await;
        waited.map_err(io::Error::other)?;
        up.mark_unchanged();
        let last = stream::last_sequence(&self.options, &self.connection, self.replicas).await?;
        let read = self.shared.state().sequence;
        let start = if last < read { 1 } else { read + 1 };
        let inbox = self.connection.client.new_inbox();
        let subscribed = self.connection.client.subscribe(inbox.clone()).await;
        let mut messages = subscribed.map_err(io::Error::other)?;
        let pending = self.create_consumer(&inbox, start).await?;
        if pending == 0 {
            self.catch_up();
        }
        let mut delivered = 0;
        loop {
            let next = tokio::select! {
                _ = up.changed() => None,
                next = timeout(3 * HEARTBEAT, next(&mut messages)) => {
                    next.map_err(|_| io::Error::other("the broker is silent"))?
                }
            };
            let next = next.ok_or_else(|| io::Error::other("the connection was lost"))?;
            self.take(&next, &mut delivered).await?;
        }
    }

    /// Creates a consumer for this connection; returns the number of messages that it has.
    async fn create_consumer(&self, inbox: &str, start: u64) -> io::Result<u64> {
        let name = stream::name(&self.options);
        let wanted = json!({
            "stream_name": name,
            "config": {
                "deliver_subject": inbox,
                "deliver_policy": "by_start_sequence",
                "opt_start_seq": start,
                "ack_policy": "none",
                "max_deliver": 1,
                "replay_policy": "instant",
                "flow_control": true,
                "idle_heartbeat": u64::try_from(HEARTBEAT.as_nanos()).unwrap_or(u64::MAX),
                "mem_storage": true,
                "num_replicas": 1,
            },
        });
        let subject = format!("$JS.API.CONSUMER.CREATE.{name}");
        let info = self.connection.ask(subject, &wanted).await?;
        let pending = info.get("num_pending").and_then(Value::as_u64);
        let delivered = info
            .pointer("/delivered/consumer_seq")
            .and_then(Value::as_u64);
        // The first messages may be on their way already.
        Ok(pending.unwrap_or(0) + delivered.unwrap_or(0))
    }

    /// Takes a message of the consumer.
    async fn take(&self, message: &NatsMessage, delivered: &mut u64) -> io::Result<()> {
        if message
            .status
            .is_some_and(|status| status != StatusCode::OK)
        {
            return self.answer(message, *delivered).await;
        }
        let position = message.reply.as_ref().and_then(|reply| position(reply));
        let Some(position) = position else {
            return Ok(());
        };
        if position.consumer != *delivered + 1 {
            return Err(io::Error::other("a message was lost on the way"));
        }
        *delivered = position.consumer;
        self.shared
            .take(&message.subject, position.stream, &message.payload);
        if position.pending == 0 {
            self.catch_up();
        }
        Ok(())
    }

    /// Answers flow control; checks by a heartbeat that no message was lost.
    async fn answer(&self, message: &NatsMessage, delivered: u64) -> io::Result<()> {
        if let Some(reply) = &message.reply {
            let published = self
                .connection
                .client
                .publish(reply.clone(), "".into())
                .await;
            return published.map_err(io::Error::other);
        }
        let last = |headers: &HeaderMap| {
            let last = headers.get("Nats-Last-Consumer")?;
            last.as_str().parse::<u64>().ok()
        };
        match message.headers.as_ref().and_then(last) {
            Some(last) if last > delivered => {
                Err(io::Error::other("a message was lost on the way"))
            }
            _ => Ok(()),
        }
    }

    /// Notes that all messages are here.
    fn catch_up(&self) {
        let mut state = self.shared.state();
        state.is_behind = false;
        if !std::mem::replace(&mut state.is_ready, true) {
            let sequence = state.sequence;
            drop(state);
            self.log.say(format_args!(
                "all counts are read, up to message {sequence}"
            ));
        }
    }
}

/// Returns the next message; `None` at the end of the subscription.
async fn next(messages: &mut Subscriber) -> Option<NatsMessage> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *messages).poll_next(context)).await
}

/// The position of a message, by its subject for answers.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    stream: u64,
    consumer: u64,
    pending: u64,
}

/// `$JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.CONSUMER_SEQUENCE.TIME.PENDING`; newer brokers
/// may add domain and account before, and a token after.
fn position(reply: &str) -> Option<Position> {
    let tokens: Vec<&str> = reply.split('.').collect();
    let first = match tokens.len() {
        9 => 5,
        11.. => 7,
        _ => return None,
    };
    let number = |at: usize| tokens.get(at)?.parse().ok();
    Some(Position {
        stream: number(first)?,
        consumer: number(first + 1)?,
        pending: number(first + 3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Position, position};

    #[test]
    fn positions_of_old_and_new_brokers_are_understood() {
        let expected = Some(Position {
            stream: 17,
            consumer: 5,
            pending: 3,
        });
        assert_eq!(position("$JS.ACK.S.c.1.17.5.1700000000.3"), expected);
        assert_eq!(position("$JS.ACK._.hash.S.c.1.17.5.1700000000.3"), expected);
        assert_eq!(
            position("$JS.ACK.d.hash.S.c.1.17.5.1700000000.3.x"),
            expected
        );
        assert_eq!(position("_INBOX.x"), None);
    }
}
