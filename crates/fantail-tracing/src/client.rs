//! A client of a stats-writer socket: of `fantail serve`, or of Dovecot's stats process.

pub(crate) mod buffer;
mod connection;
mod server_filter;

use std::{
    cell::Cell,
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use fantail_event::{EffectiveBuffers, Event, EventRef, SentEvent, text};
use fantail_filter::Filter;
use tracing_core::Metadata;

use self::{buffer::Buffer, connection::Connector, server_filter::ServerFilter};

/// A longer line ends the connection, without its line feed.
const MAX_LINE_BYTES: usize = 131_071;
/// Default of the bytes that wait for the server.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Sends events to a stats-writer socket, as Dovecot's processes do.
///
/// The server says by a filter which events it wants; others are not sent. Each event is
/// sent with all that it inherits. Lines wait in a bounded buffer; a connection that ends
/// is opened again, and the lines that the socket had not accepted are sent in order.
///
/// ```no_run
/// use std::time::Duration;
///
/// use fantail_event::{Event, SentEvent, Timestamp};
/// use fantail_tracing::StatsClient;
///
/// let client = StatsClient::connect("/run/dovecot/stats-writer")?;
/// client.wait_until_ready(Duration::from_secs(5));
/// let event = Event::builder(Timestamp::from_unix_micros(0)).name("job_done").build()?;
/// client.send(&SentEvent::alone(&event));
/// client.close(Duration::from_secs(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StatsClient {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a [`StatsClient`] has done so far.
///
/// ```no_run
/// use fantail_tracing::StatsClient;
///
/// let client = StatsClient::connect("/run/dovecot/stats-writer")?;
/// let counters = client.counters();
/// println!("{} sent, {} dropped", counters.accepted, counters.dropped);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClientCounters {
    /// Events that waited for the server or were sent.
    pub accepted: u64,
    /// Events that the server does not want, or that came before its filter.
    pub unwanted: u64,
    /// Events that did not fit into the buffer.
    pub dropped: u64,
    /// Events whose line would be longer than 131,071 bytes.
    pub too_large: u64,
    /// Connections that ended with a handshake.
    pub connections: u64,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    unwanted: AtomicU64,
    dropped: AtomicU64,
    too_large: AtomicU64,
    connections: AtomicU64,
}

/// What the client shares with its thread.
struct Shared {
    filter: ServerFilter,
    buffer: Buffer,
    counts: Counts,
}

/// The buffers for the line of one event.
#[derive(Default)]
struct Encoder {
    gathered: EffectiveBuffers,
    event: Event,
    line: Vec<u8>,
}

impl StatsClient {
    /// Starts a client of the socket with this path. Its thread connects, and goes on
    /// trying.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn connect(socket: impl AsRef<Path>) -> std::io::Result<Self> {
        Self::with_buffer(socket, BUFFER_BYTES)
    }

    /// Starts a client with this limit for the bytes that wait for the server.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect).
    pub fn with_buffer(socket: impl AsRef<Path>, bytes: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            filter: ServerFilter::default(),
            buffer: Buffer::new(bytes),
            counts: Counts::default(),
        });
        let connector = Connector::new(socket.as_ref(), &shared);
        let thread = thread::Builder::new().name("stats-client".to_owned());
        let thread = thread.spawn(move || connector.run())?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Sends an event if the server wants it. It never waits for the server.
    pub fn send(&self, event: &SentEvent<'_>) {
        let counts = &self.shared.counts;
        if !self.shared.filter.wants(event) {
            counts.unwanted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        with_encoder(|encoder| {
            let counted = match encoder.encode(event) {
                Some(line) if line.len() <= MAX_LINE_BYTES => {
                    self.shared.buffer.add_categories(event);
                    match self.shared.buffer.push(line) {
                        true => &counts.accepted,
                        false => &counts.dropped,
                    }
                }
                _ => &counts.too_large,
            };
            counted.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Returns the filter of the server; `None` before its first one.
    #[must_use]
    pub fn filter(&self) -> Option<Filter> {
        self.shared.filter.get()
    }

    /// Has `changed` called, on the thread of the client, after each new filter of the
    /// server.
    pub fn on_filter(&self, changed: impl Fn() + Send + Sync + 'static) {
        self.shared.filter.on_change(Arc::new(changed));
    }

    /// Returns whether the server may want the events of this callsite, or what they
    /// inherit.
    pub(crate) fn may_want(&self, metadata: &Metadata<'_>) -> bool {
        self.shared.filter.may_want(metadata)
    }

    /// Returns whether the server wants any event.
    pub(crate) fn wants_any(&self) -> bool {
        self.shared.filter.wants_any()
    }

    /// Waits until the server has sent its first filter; returns whether it has.
    pub fn wait_until_ready(&self, patience: Duration) -> bool {
        self.shared.filter.wait(Instant::now() + patience)
    }

    /// Waits until the socket has accepted all lines; returns whether it has.
    pub fn flush(&self, patience: Duration) -> bool {
        self.shared
            .buffer
            .wait_until_empty(Instant::now() + patience)
    }

    /// Sends what waits, within this time, and ends the connection; returns whether
    /// everything was sent. Later events are dropped.
    pub fn close(&self, patience: Duration) -> bool {
        let sent = self.flush(patience);
        self.shared.buffer.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // The last owner may be the callback for new filters.
        let joins = !connection::is_thread_of_client();
        let ended = thread.is_none_or(|thread| !joins || thread.join().is_ok());
        sent && ended
    }

    /// Returns what the client has done so far.
    #[must_use]
    pub fn counters(&self) -> ClientCounters {
        let counts = &self.shared.counts;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ClientCounters {
            accepted: count(&counts.accepted),
            unwanted: count(&counts.unwanted),
            dropped: count(&counts.dropped),
            too_large: count(&counts.too_large),
            connections: count(&counts.connections),
        }
    }
}

impl Drop for StatsClient {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl fmt::Debug for StatsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsClient")
            .field("filter", &self.filter())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

thread_local! {
    static ENCODER: Cell<Option<Box<Encoder>>> = const { Cell::new(None) };
}

/// Calls `encode` with the buffers of this thread.
fn with_encoder(encode: impl FnOnce(&mut Encoder)) {
    // A thread that ends has no buffers.
    let kept = ENCODER.try_with(Cell::take).ok().flatten();
    let mut encoder = kept.unwrap_or_default();
    encode(&mut encoder);
    let _ = ENCODER.try_with(|kept| kept.set(Some(encoder)));
}

impl Encoder {
    /// Returns the line of an event with all that it inherits; `None` if it is beyond a
    /// gigabyte.
    fn encode(&mut self, sent: &SentEvent<'_>) -> Option<&[u8]> {
        let effective = self.gathered.gather(sent);
        let event = &mut self.event;
        event.restart(effective.created());
        let mut result = effective.name().map_or(Ok(()), |name| event.set_name(name));
        if let Some(source) = effective.source() {
            result = result.and(event.set_source(source.file, source.line));
        }
        if let Some(at) = effective.sent() {
            event.set_sent(at);
        }
        // Each event has the duration of its own sending.
        effective.each_field(|key, value| {
            if key != fantail_event::DURATION {
                result = result.and(event.set(key, value));
            }
        });
        result.ok()?;
        self.line.clear();
        self.line.extend_from_slice(b"EVENT\t0\t0\t");
        self.line.push(b'0' + sent.level.to_wire());
        self.line.push(b'\t');
        text::write(event.as_event_ref(), &mut self.line);
        for category in sent.chain().flat_map(EventRef::categories) {
            self.line.extend_from_slice(b"\tc");
            fantail_event::escape::escape_into(category, &mut self.line);
        }
        Some(&self.line)
    }
}
