//! Reading the stream: from its first message to the last one, then what follows.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

use async_nats::{HeaderMap, Message as NatsMessage, StatusCode, Subscriber};
use fantail_fleet::counts::{Aggregator, Arrival, Message, Subject};
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
    /// What was read before the stream lost messages; it answers until the stream is read
    /// again.
    earlier: Option<Aggregator>,
    /// The number of readings of the stream from its start.
    pub(super) readings: u64,
    /// The sequence of the last message of each feed.
    read: Vec<u64>,
    /// Whether all messages were read once.
    pub(super) is_ready: bool,
    /// Whether messages that the broker has may not be here.
    pub(super) is_behind: bool,
    /// Messages that are damaged, of a later format, or not of their subject.
    pub(super) refused: u64,
}

impl State {
    /// Returns what answers are made from.
    pub(super) fn answering(&self) -> &Aggregator {
        self.earlier.as_ref().unwrap_or(&self.aggregator)
    }

    /// Returns the sequence of the last message.
    pub(super) fn sequence(&self) -> u64 {
        self.read.iter().copied().max().unwrap_or(0)
    }

    /// Begins to read the stream from its start. What was read answers meanwhile.
    fn read_again(&mut self) {
        let anew = self.aggregator.anew();
        let earlier = std::mem::replace(&mut self.aggregator, anew);
        self.earlier.get_or_insert(earlier);
        self.read.fill(0);
        self.readings += 1;
    }

    /// Notes that all messages are here; returns whether it is the first time.
    fn catch_up(&mut self, now: Duration) -> bool {
        self.is_behind = false;
        if let Some(earlier) = self.earlier.take() {
            self.aggregator.adopt(earlier, now);
        }
        !std::mem::replace(&mut self.is_ready, true)
    }
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

    /// Takes a message of a feed.
    fn take(&self, feed: usize, position: &Position, subject: &str, bytes: &[u8]) {
        let read = Message::read(bytes, MAX_DISTRIBUTIONS);
        let arrival = Arrival {
            sequence: position.stream,
            stored: position.stored,
            now: self.since.elapsed(),
        };
        let mut state = self.state();
        if let Some(read) = state.read.get_mut(feed) {
            *read = position.stream;
        }
        match read {
            Ok(message) if Subject::of(&message).to_string() == subject => {
                state.aggregator.take(message, arrival);
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
    /// read from its start.
    async fn follow(&self) -> io::Result<std::convert::Infallible> {
        let mut up = self.connection.link.clone();
        let waited = up.wait_for(|link| link.is_up).await;
        waited.map_err(io::Error::other)?;
        up.mark_unchanged();
        let last = stream::last_sequence(&self.options, &self.connection, self.replicas).await?;
        let starts = self.starts(last);
        let mut feeds = Feeds::default();
        for (filter, start) in starts {
            feeds.0.push(self.open_feed(&filter, start).await?);
        }
        self.note_progress(&feeds);
        loop {
            let next = tokio::select! {
                _ = up.changed() => None,
                next = timeout(3 * HEARTBEAT, feeds.next()) => {
                    next.map_err(|_| io::Error::other("the broker is silent"))?
                }
            };
            let next = next.ok_or_else(|| io::Error::other("the connection was lost"))?;
            self.take(next, &mut feeds).await?;
            feeds.check_silence()?;
        }
    }

    /// Returns the filter of each feed, and the sequence from which it is read.
    fn starts(&self, last: u64) -> Vec<(String, u64)> {
        let mut state = self.shared.state();
        let filters = state.aggregator.range().filters(&self.options.cluster);
        state.read.resize(filters.len(), 0);
        if last < state.sequence() {
            state.read_again();
        }
        let starts = state.read.iter().map(|read| read + 1);
        filters.into_iter().zip(starts).collect()
    }

    /// Creates a consumer for this connection.
    async fn open_feed(&self, filter: &str, start: u64) -> io::Result<Feed> {
        // A consumer delivers to a subscription of exactly its subject.
        let inbox = self.connection.client.new_inbox();
        let messages = self.connection.client.subscribe(inbox.clone()).await;
        let messages = messages.map_err(io::Error::other)?;
        let name = stream::name(&self.options);
        let wanted = json!({
            "stream_name": name,
            "config": {
                "deliver_subject": inbox,
                "deliver_policy": "by_start_sequence",
                "opt_start_seq": start,
                "filter_subject": filter,
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
        Ok(Feed {
            messages,
            delivered: 0,
            // The first messages may be on their way already.
            has_all: pending.unwrap_or(0) + delivered.unwrap_or(0) == 0,
            heard: Instant::now(),
        })
    }

    /// Takes a message of a feed.
    async fn take(
        &self,
        (number, message): (usize, NatsMessage),
        feeds: &mut Feeds,
    ) -> io::Result<()> {
        let Some(feed) = feeds.0.get_mut(number) else {
            return Ok(());
        };
        feed.heard = Instant::now();
        if message
            .status
            .is_some_and(|status| status != StatusCode::OK)
        {
            return self.answer(&message, feed.delivered).await;
        }
        let position = message.reply.as_ref().and_then(|reply| position(reply));
        let Some(position) = position else {
            return Ok(());
        };
        if position.number != feed.delivered + 1 {
            return Err(io::Error::other("a message was lost on the way"));
        }
        feed.delivered = position.number;
        self.shared
            .take(number, &position, &message.subject, &message.payload);
        if position.pending == 0 {
            feed.has_all = true;
            self.note_progress(feeds);
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

    /// Notes that all messages are here, if they are.
    fn note_progress(&self, feeds: &Feeds) {
        if !feeds.0.iter().all(|feed| feed.has_all) {
            return;
        }
        let now = self.shared.since.elapsed();
        let mut state = self.shared.state();
        if state.catch_up(now) {
            let sequence = state.sequence();
            drop(state);
            self.log.say(format_args!(
                "all counts are read, up to message {sequence}"
            ));
        }
    }
}

/// A consumer of the stream, for the messages with one filter.
#[derive(Debug)]
struct Feed {
    messages: Subscriber,
    /// The number of messages that it has delivered.
    delivered: u64,
    /// Whether the messages that the stream had at the start are here.
    has_all: bool,
    heard: Instant,
}

/// The consumers of a reader.
#[derive(Debug, Default)]
struct Feeds(Vec<Feed>);

impl Feeds {
    /// Returns the next message with the number of its feed; `None` at the end of one.
    async fn next(&mut self) -> Option<(usize, NatsMessage)> {
        std::future::poll_fn(|context| {
            for (number, feed) in self.0.iter_mut().enumerate() {
                if let Poll::Ready(next) = Pin::new(&mut feed.messages).poll_next(context) {
                    return Poll::Ready(next.map(|next| (number, next)));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Returns an error if a consumer is silent, and others are not.
    fn check_silence(&self) -> io::Result<()> {
        let is_silent = |feed: &Feed| feed.heard.elapsed() > 3 * HEARTBEAT;
        match self.0.iter().any(is_silent) {
            true => Err(io::Error::other("the broker is silent")),
            false => Ok(()),
        }
    }
}

/// The position of a message, by its subject for answers.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    stream: u64,
    /// The number of the message among those of the consumer.
    number: u64,
    stored: Duration,
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
        number: number(first + 1)?,
        stored: Duration::from_nanos(number(first + 2)?),
        pending: number(first + 3)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Position, position};

    #[test]
    fn positions_of_old_and_new_brokers_are_understood() {
        let expected = Some(Position {
            stream: 17,
            number: 5,
            stored: Duration::from_nanos(1_700_000_000),
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
