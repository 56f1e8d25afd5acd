//! How a server is run.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use fantail_engine::SessionRules;
use fantail_event::Dialect;

use crate::{Log, Recorder};

/// How a server is run. What is `None` is taken from the configuration, and
/// from Dovecot's defaults where that says nothing.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration; read again at each reload.
    pub config: PathBuf,
    /// Whose rules apply; by default what the configuration says.
    pub dialect: Option<Dialect>,
    /// Where Dovecot's processes send events; by default `stats-writer` and
    /// `login/stats-writer` below `base_dir`.
    pub writer: Option<PathBuf>,
    /// Its permissions; by default those of the configuration, and 0666 where
    /// they are 0 or missing: with 0 Dovecot leaves the socket to us.
    pub writer_mode: Option<u32>,
    /// Whether login processes, which see nothing outside their folder, find a
    /// socket under `login/stats-writer`; never if `writer` is given.
    pub login_writer: bool,
    /// Where `doveadm stats` asks; by default `stats-reader` below `base_dir`.
    pub reader: Option<PathBuf>,
    /// Its permissions; as for `writer_mode`, but 0600.
    pub reader_mode: Option<u32>,
    /// Where scrapes are answered; by default the `inet_listener http` of the
    /// configuration, on the loopback unless that names an address.
    pub http: Option<SocketAddr>,
    /// Whether `/metrics` has Dovecot's own layout unless a query asks for
    /// another.
    pub compat_metrics: bool,
    /// Threads that read events; at least one.
    pub workers: usize,
    /// Where counts are kept over a restart.
    pub state: Option<PathBuf>,
    /// How often they are saved; by default every 5 minutes.
    pub state_interval: Duration,
    /// This host's name in exports.
    pub hostname: Vec<u8>,
    /// Keeps what clients send.
    pub recorder: Option<Recorder>,
    /// The user that it becomes once all sockets are bound.
    pub user: Option<String>,
    /// How long clients, and then exporters, have at the end; by default 5
    /// seconds each.
    pub patience: Duration,
    /// Whether it takes sockets from, and reports to, a service manager.
    pub service_manager: bool,
    /// Whether it ends at SIGTERM and SIGINT and reloads at SIGHUP.
    pub signals: bool,
    /// What summaries of sessions contain.
    pub session_rules: SessionRules,
    /// What clients may use.
    pub limits: Limits,
    /// Takes what it has to say.
    pub log: Log,
}

/// What clients may use together and each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections of Dovecot's processes; 20,000 by default. More are closed
    /// at once.
    pub connections: usize,
    /// Living events of one connection; see [`fantail_wire::Limits`].
    pub live: fantail_wire::Limits,
    /// Bytes of living events and unfinished lines of all connections; 1 GiB
    /// by default. The connection that goes beyond it is closed.
    pub memory: usize,
    /// Connections to the reader's socket; 100 by default.
    pub readers: usize,
    /// Connections of scrapers; 100 by default.
    pub scrapers: usize,
    /// How long a scraper may take to take anything at all, or to send a
    /// request; 10 seconds by default.
    pub stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            live: fantail_wire::Limits::default(),
            memory: 1 << 30,
            readers: 100,
            scrapers: 100,
            stalled: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// The defaults for a configuration; the log goes to `log`.
    #[must_use]
    pub fn new(config: impl Into<PathBuf>, log: Log) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            config: config.into(),
            dialect: None,
            writer: None,
            writer_mode: None,
            login_writer: true,
            reader: None,
            reader_mode: None,
            http: None,
            compat_metrics: false,
            workers: cores.min(4),
            state: None,
            state_interval: Duration::from_secs(300),
            hostname: b"localhost".to_vec(),
            recorder: None,
            user: None,
            patience: Duration::from_secs(5),
            service_manager: false,
            signals: false,
            session_rules: SessionRules::default(),
            limits: Limits::default(),
            log,
        }
    }
}
