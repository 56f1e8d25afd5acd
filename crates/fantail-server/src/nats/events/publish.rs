//! The transport `nats`: the events of an exporter as messages of a stream.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use fantail_fleet::events::{BatchHead, EventSubject};
use fantail_transport::{
    Batch, BatchLimits, Delivery, NatsSettings, PayloadId, Payloads, Retry, Transport,
    TransportError, TransportErrorKind,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    time::timeout,
};

use super::{
    super::{
        NatsOptions,
        connection::{ANSWER_TIMEOUT, Connection},
        publish::random_run,
    },
    message::{self, Part},
};

/// The payloads of one attempt; their messages are under way together.
const LIMITS: BatchLimits = BatchLimits {
    payloads: 4_096,
    bytes: 1 << 20,
};

/// Publishes events. The answer of the stream confirms them. An event whose answer was lost
/// is published again, with the same id.
pub(crate) struct NatsTransport {
    options: NatsOptions,
    host: Vec<u8>,
    subject: String,
    /// A random number of this transport.
    queue: u64,
    /// Events that its queue has dropped.
    dropped: u64,
    /// The number of the next payload that no queue has accepted.
    next: u64,
    open: Option<Open>,
    /// What the connection said last.
    said: Arc<Mutex<String>>,
}

/// What became of payloads that were published together.
struct Answer {
    count: usize,
    result: Result<(), TransportError>,
}

/// A connection on a thread of its own.
struct Open {
    connection: Connection,
    runtime: Handle,
    /// The thread ends when this is dropped.
    _end: oneshot::Sender<()>,
}

impl NatsTransport {
    /// Returns a transport that connects when it is opened.
    pub(crate) fn new(settings: &NatsSettings, host: &[u8], exporter: &[u8]) -> Self {
        let subject = EventSubject {
            cluster: &settings.cluster,
            host,
            exporter,
        };
        Self {
            options: settings.into(),
            host: host.to_vec(),
            subject: subject.to_string(),
            queue: u64::try_from(random_run() >> 64).unwrap_or(0),
            dropped: 0,
            next: 0,
            open: None,
            said: Arc::default(),
        }
    }

    fn connect(&self) -> Result<Open, TransportError> {
        let failed = |error| TransportError::new(TransportErrorKind::Open, error);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("nats".to_owned());
        let driven = thread.spawn(move || {
            // The end is that the sender is dropped.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        });
        driven.map_err(failed)?;
        let said = Arc::clone(&self.said);
        let say = move |what: &str| {
            what.clone_into(&mut said.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let connection = Connection::open_with(&self.options, &self.host, say);
        Ok(Open {
            connection: handle.block_on(connection).map_err(failed)?,
            runtime: handle,
            _end: end,
        })
    }

    /// Waits until the connection is up.
    fn up(&mut self) -> Result<&Open, TransportError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.connect()?,
        };
        let open = self.open.insert(open);
        let mut link = open.connection.link.clone();
        let is_up = open.runtime.block_on(async {
            let up = timeout(ANSWER_TIMEOUT, link.wait_for(|link| link.is_up)).await;
            matches!(up, Ok(Ok(_)))
        });
        if is_up {
            return Ok(open);
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let error = io::Error::new(io::ErrorKind::NotConnected, said.clone());
        Err(TransportError::new(TransportErrorKind::Connect, error))
    }

    /// Returns the id of the first payload.
    fn first_id(&mut self, payloads: Payloads<'_>) -> PayloadId {
        payloads.first_id().unwrap_or_else(|| {
            let number = self.next;
            self.next += payloads.len() as u64;
            let run = self.queue;
            PayloadId { run, number }
        })
    }

    /// Publishes payloads, as several messages at once; returns what became of each.
    fn publish(&mut self, payloads: Payloads<'_>) -> Result<Vec<Answer>, TransportError> {
        let first = self.first_id(payloads);
        let open = self.up()?;
        let (client, runtime) = (open.connection.client.clone(), open.runtime.clone());
        let mut sent = Vec::new();
        for part in message::divide(payloads, first, client.max_payload()) {
            sent.push(match part {
                Part::Refused(error) => (1, Err(error)),
                Part::Message { first, count, body } => {
                    let head = BatchHead {
                        run: first.run,
                        first: first.number,
                        count: count as u64,
                        queue: self.queue,
                        dropped: self.dropped,
                    };
                    let subject = self.subject.clone();
                    let published = message::publish(client.clone(), subject, head, body);
                    (count, Ok(runtime.spawn(published)))
                }
            });
        }
        // All are awaited, also after an error: none is under way when it is tried again.
        let awaited = sent.into_iter().map(|(count, sent)| {
            let result = sent.and_then(|task| {
                let lost = |error| message::failed(io::Error::other(error));
                runtime.block_on(task).map_err(lost).flatten()
            });
            Answer { count, result }
        });
        Ok(awaited.collect())
    }
}

impl Transport for NatsTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        let mut batch = Batch::new();
        batch.push(payload);
        let results = self.publish(batch.payloads())?;
        results.into_iter().try_for_each(|answer| answer.result)
    }

    /// The answer of the stream confirms payloads.
    fn confirms(&self) -> bool {
        true
    }

    fn batch_limits(&self) -> BatchLimits {
        LIMITS
    }

    fn note_dropped(&mut self, payloads: u64) {
        self.dropped = payloads;
    }

    fn deliver(&mut self, payloads: Payloads<'_>) -> Delivery {
        let mut delivery = Delivery::new();
        match self.publish(payloads) {
            Err(error) => delivery.stopped(error),
            Ok(results) => {
                for Answer { count, result } in results {
                    match result {
                        Ok(()) => delivery.arrived(count),
                        Err(error) if error.retry() == Retry::Never => {
                            delivery.refused(count, error);
                        }
                        Err(error) => {
                            delivery.stopped(error);
                            break;
                        }
                    }
                }
            }
        }
        delivery
    }

    fn open_target(&mut self) -> Result<(), TransportError> {
        self.up().map(|_| ())
    }
}
