//! The options of a server.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use fantail_config::Release;
use fantail_engine::SessionRules;
use fantail_event::Dialect;

use crate::{Log, PushOptions, RecordSettings};

/// The options of a server. An option that is `None` comes from the configuration,
/// else from Dovecot's defaults.
///
/// ```no_run
/// use fantail_server::{Limits, Log, Server, ServerOptions};
///
/// let log = Log::new(|line| eprintln!("{line}"));
/// let mut options = ServerOptions::new("/etc/dovecot/dovecot.conf", log);
/// options.limits = Limits { connections: 1_000, ..Limits::default() };
/// let server = Server::start(options)?;
/// server.run()?;
/// # Ok::<(), fantail_server::ServerError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The configuration; read again at each reload.
    pub config: PathBuf,
    /// The dialect of Dovecot; by default that of the configuration.
    pub dialect: Option<Dialect>,
    /// The release of Dovecot; by default that of the configuration.
    pub release: Option<Release>,
    /// The socket to which Dovecot's processes send events; by default
    /// `stats-writer` and `login/stats-writer` below `base_dir`.
    pub writer: Option<PathBuf>,
    /// The permissions of that socket; by default those of the configuration, and
    /// Dovecot's own defaults where they are 0 or missing: 0660, and 0600 for
    /// login processes. With 0, Dovecot leaves the socket to this server.
    pub writer_mode: Option<u32>,
    /// The broker to which counts are published.
    #[cfg(feature = "nats")]
    pub nats: Option<crate::NatsOptions>,
    /// Whether there is a socket `login/stats-writer` for login processes, which
    /// see nothing outside their folder; ignored if `writer` is set.
    pub login_writer: bool,
    /// The socket of `doveadm stats`; by default `stats-reader` below `base_dir`.
    pub reader: Option<PathBuf>,
    /// The permissions of that socket; as for `writer_mode`, but 0600.
    pub reader_mode: Option<u32>,
    /// Whether the server starts although Dovecot's configuration binds the same
    /// sockets, so that Dovecot cannot start after it.
    pub ignore_dovecot: bool,
    /// The address at which scrapes are answered; by default that of the
    /// `inet_listener http` of the configuration, on loopback unless it names an
    /// address.
    pub http: Option<SocketAddr>,
    /// Who may use HTTP.
    pub http_access: HttpAccess,
    /// Whether `/metrics` has the layout of Dovecot unless a query asks for
    /// another.
    pub compat_metrics: bool,
    /// The target to which metrics are pushed.
    pub push: Option<PushOptions>,
    /// Threads that read events; at least one.
    pub workers: usize,
    /// The file that keeps counts over a restart.
    pub state: Option<PathBuf>,
    /// How often the counts are saved; by default every 5 minutes.
    pub state_interval: Duration,
    /// The host name in exports.
    pub hostname: Vec<u8>,
    /// Records the lines of clients.
    pub record: Option<RecordSettings>,
    /// The user that the process becomes once all sockets are bound.
    pub user: Option<String>,
    /// How long the end waits for clients, and then for exporters; by default 5
    /// seconds each.
    pub patience: Duration,
    /// Whether the server takes sockets from a service manager, and reports to it.
    pub service_manager: bool,
    /// Whether the server ends at SIGTERM and SIGINT and reloads at SIGHUP.
    pub signals: bool,
    /// The contents of session summaries.
    pub session_rules: SessionRules,
    /// The limits of clients.
    pub limits: Limits,
    /// Takes the messages of the server.
    pub log: Log,
}

/// Who may use HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpAccess {
    /// Names in `Host` that are allowed besides `localhost`, addresses, and the host
    /// name of the options.
    pub hosts: Vec<String>,
    /// The file with the token of `Authorization: Bearer`, which is read again every
    /// 5 seconds.
    pub token: Option<PathBuf>,
    /// TLS for connections over TCP; without it, they are not encrypted.
    pub tls: Option<HttpTls>,
    /// A Unix socket for HTTP, for its owner alone: it needs neither token nor name.
    pub socket: Option<PathBuf>,
    /// Whether scrapes need the token or the socket, too.
    pub private: bool,
    /// Whether there is a page for browsers. With it, all routes that may show personal
    /// data need the token, a session or the socket.
    pub web: bool,
}

/// The files of TLS, which are read again every 5 seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpTls {
    /// The certificate in PEM, and those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// Its private key in PEM, without a passphrase.
    pub key: PathBuf,
}

/// The limits of clients, of each and of all together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections of Dovecot's processes; 20,000 by default. Further ones are
    /// closed at once.
    pub connections: usize,
    /// Live events of one connection; see [`fantail_wire::Limits`].
    pub live: fantail_wire::Limits,
    /// Bytes that series, connections, sessions, categories, queues of exporters,
    /// answers, recordings and kept events may take together; 1 GiB by default. Each
    /// has a guaranteed share, and a quarter of the whole is common to all.
    pub memory: usize,
    /// Bytes of the last events, which are kept for questions that come later; none
    /// by default, since each event costs about a quarter more then. They are part of
    /// `memory`, a thirty-second part at most.
    pub recent: usize,
    /// Kept events are dropped after this time; an hour by default.
    pub recent_age: Duration,
    /// Bytes of the largest payload of an export; 1 MiB by default. An event with
    /// more text, or a larger payload, is dropped and counted.
    pub payload: usize,
    /// Connections to the stats-reader socket; 100 by default.
    pub readers: usize,
    /// How long reading the configuration and opening its exporters may take; 10
    /// seconds by default.
    pub reload: Duration,
    /// Connections of scrapers; 100 by default.
    pub scrapers: usize,
    /// How long a scraper may stall while it reads an answer or sends a request;
    /// 10 seconds by default.
    pub stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            live: fantail_wire::Limits::default(),
            memory: 1 << 30,
            recent: 0,
            recent_age: Duration::from_secs(3600),
            payload: 1 << 20,
            readers: 100,
            reload: Duration::from_secs(10),
            scrapers: 100,
            stalled: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The bytes of kept events.
    pub(crate) fn recent_bytes(&self) -> usize {
        self.recent.min(self.memory / 32)
    }
}

impl ServerOptions {
    /// Returns the defaults for a configuration file, with this log.
    #[must_use]
    pub fn new(config: impl Into<PathBuf>, log: Log) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            config: config.into(),
            dialect: None,
            release: None,
            writer: None,
            writer_mode: None,
            login_writer: true,
            reader: None,
            reader_mode: None,
            ignore_dovecot: false,
            http: None,
            http_access: HttpAccess::default(),
            compat_metrics: false,
            push: None,
            workers: cores.min(4),
            state: None,
            #[cfg(feature = "nats")]
            nats: None,
            state_interval: Duration::from_secs(300),
            hostname: b"localhost".to_vec(),
            record: None,
            user: None,
            patience: Duration::from_secs(5),
            service_manager: false,
            signals: false,
            session_rules: SessionRules::default(),
            limits: Limits::default(),
            log,
        }
    }

    /// Returns whether counts are published.
    #[allow(clippy::missing_const_for_fn, reason = "the features differ")]
    pub(crate) fn publishes(&self) -> bool {
        #[cfg(feature = "nats")]
        return self.nats.is_some();
        #[cfg(not(feature = "nats"))]
        return false;
    }
}
