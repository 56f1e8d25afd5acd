//! A consumer of a stream: its messages in order, or an error.

use std::{io, time::Duration};

use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use futures_core::Stream as _;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use super::connection::{Connection, Link};

/// How often the broker says that it has nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A consumer for one connection.
pub(super) struct Consumer {
    connection: Connection,
    link: watch::Receiver<Link>,
    messages: Subscriber,
    /// The messages so far.
    delivered: u64,
}

/// A message of the stream.
pub(super) struct Delivered {
    pub(super) message: Message,
    pub(super) sequence: u64,
    /// When the broker stored it, in nanoseconds since 1970.
    pub(super) stored_at: u64,
    /// How many messages the stream has after it.
    pub(super) pending: u64,
}

impl Consumer {
    /// Starts to read a stream at a sequence; returns the number of messages that it has
    /// there.
    ///
    /// # Errors
    /// The broker does not answer, or refuses.
    pub(super) async fn start(
        connection: &Connection,
        stream: &str,
        start: u64,
    ) -> io::Result<(Self, u64)> {
        let mut link = connection.link.clone();
        link.mark_unchanged();
        let inbox = connection.client.new_inbox();
        let subscribed = connection.client.subscribe(inbox.clone()).await;
        let consumer = Self {
            connection: connection.clone(),
            link,
            messages: subscribed.map_err(io::Error::other)?,
            delivered: 0,
        };
        let wanted = json!({
            "stream_name": stream,
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
        let subject = format!("$JS.API.CONSUMER.CREATE.{stream}");
        let info = connection.ask(subject, &wanted).await?;
        let number = |path| info.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        // The first messages may be on their way already.
        let there = number("/num_pending") + number("/delivered/consumer_seq");
        Ok((consumer, there))
    }

    /// Waits for something of the broker, for [`accept`](Self::accept). Nothing is lost if
    /// the wait is given up.
    ///
    /// # Errors
    /// The connection was lost, or the broker is silent.
    pub(super) async fn next(&mut self) -> io::Result<Message> {
        let messages = &mut self.messages;
        let next =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut *messages).poll_next(context));
        let next = tokio::select! {
            _ = self.link.changed() => None,
            next = timeout(3 * HEARTBEAT, next) => {
                next.map_err(|_| io::Error::other("the broker is silent"))?
            }
        };
        next.ok_or_else(|| io::Error::other("the connection was lost"))
    }

    /// Returns the message of the stream, if it is one; answers the broker otherwise.
    ///
    /// # Errors
    /// A message was lost on the way.
    pub(super) async fn accept(&mut self, message: Message) -> io::Result<Option<Delivered>> {
        if message
            .status
            .is_some_and(|status| status != StatusCode::OK)
        {
            self.answer(&message).await?;
            return Ok(None);
        }
        let position = message.reply.as_ref().and_then(|reply| position(reply));
        let Some(position) = position else {
            return Ok(None);
        };
        if position.consumer != self.delivered + 1 {
            return Err(lost());
        }
        self.delivered = position.consumer;
        Ok(Some(Delivered {
            message,
            sequence: position.stream,
            stored_at: position.time,
            pending: position.pending,
        }))
    }

    /// Answers flow control; checks by a heartbeat that no message was lost.
    async fn answer(&self, message: &Message) -> io::Result<()> {
        if let Some(reply) = &message.reply {
            let client = &self.connection.client;
            let published = client.publish(reply.clone(), "".into()).await;
            return published.map_err(io::Error::other);
        }
        let last = |headers: &HeaderMap| {
            let last = headers.get("Nats-Last-Consumer")?;
            last.as_str().parse::<u64>().ok()
        };
        match message.headers.as_ref().and_then(last) {
            Some(last) if last > self.delivered => Err(lost()),
            _ => Ok(()),
        }
    }
}

fn lost() -> io::Error {
    io::Error::other("a message was lost on the way")
}

/// The position of a message, by its subject for answers.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    stream: u64,
    consumer: u64,
    time: u64,
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
        time: number(first + 2)?,
        pending: number(first + 3)?,
    })
}
