//! Facts about an installation, from which the checks conclude.

use std::time::Duration;

use fantail_config::Release;

/// The observed facts about an installation. A fact that is `None` or empty was not
/// observed, and no finding follows from it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Facts {
    /// Dovecot.
    pub dovecot: DovecotFacts,
    /// The sockets of the stats service.
    pub sockets: Vec<SocketFacts>,
    /// A running `fantail serve`.
    pub server: Option<ServerFacts>,
    /// The number of events of each metric of the configuration.
    pub counts: Option<Vec<MetricCount>>,
    /// The filter that the stats process sends to Dovecot's processes.
    pub filter_in_force: Option<Vec<u8>>,
    /// The exporters of a running `fantail serve`.
    pub exporters: Vec<ExporterFacts>,
    /// Test scrapes.
    pub scrapes: Vec<ScrapeFacts>,
    /// Delivery agents that connect as other users.
    pub agents: Vec<DeliveryAgent>,
    /// Log messages since Dovecot's last start or reload.
    pub log: Vec<LogFacts>,
    /// Units of the service manager.
    pub units: Vec<UnitFacts>,
}

/// The observed facts about Dovecot.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DovecotFacts {
    /// The release that `dovecot --version` prints.
    pub release: Option<Release>,
    /// Why `doveconf` refuses the configuration.
    pub refusal: Option<String>,
    /// `stats_writer_socket_path`, as `doveconf` prints it.
    pub writer_path: Option<String>,
    /// The `client_limit` of Dovecot's stats service.
    pub client_limit: Option<u64>,
    /// Whether Dovecot's master process runs.
    pub is_running: Option<bool>,
    /// The number of mail processes (`imap`, `pop3`, …), without those that have just
    /// started and may not have connected yet.
    pub mail_processes: Option<usize>,
    /// The name and the process ID of each process that sends events if it can, and is
    /// not connected to a socket for events.
    pub unconnected: Vec<(String, u32)>,
    /// By how many seconds the clock was set since its start.
    pub clock_step: Option<i64>,
}

/// A socket of the stats service.
#[derive(Debug, Clone)]
pub struct SocketFacts {
    /// The role of the socket.
    pub role: SocketRole,
    /// The path of the socket.
    pub path: String,
    /// Whether a process listens.
    pub state: SocketState,
    /// The owner and the permissions of the socket.
    pub access: Option<SocketAccess>,
    /// The number of connected processes.
    pub clients: Option<usize>,
}

/// The sockets of the stats service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocketRole {
    /// `stats-writer`
    Writer,
    /// `login/stats-writer`
    LoginWriter,
    /// `stats-reader`
    Reader,
}

impl SocketRole {
    /// Returns the name below `base_dir`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writer => "stats-writer",
            Self::LoginWriter => "login/stats-writer",
            Self::Reader => "stats-reader",
        }
    }
}

/// The state of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketState {
    /// The socket file does not exist.
    Missing,
    /// The socket file exists, but no process listens.
    Stale,
    /// A process listens.
    Served {
        /// The program that listens.
        program: SocketOwner,
        /// The process ID.
        pid: u32,
    },
    /// The state could not be observed.
    Unseen,
}

/// A program that listens on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SocketOwner {
    /// Dovecot.
    Dovecot,
    /// `fantail serve`.
    Fantail,
    /// Another program, or an unknown one.
    Other(String),
}

/// The owner and permissions of a socket, and the Dovecot account that has to open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAccess {
    /// The permission bits.
    pub mode: u32,
    /// The user ID of the owner.
    pub user: u32,
    /// The group ID.
    pub group: u32,
    /// The ID of the account that has to open the socket: the group of Dovecot's
    /// processes, or the user of login processes.
    pub needed: Option<u32>,
    /// The name of that account.
    pub needed_name: String,
}

/// A running `fantail serve`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServerFacts {
    /// The time since the start of the server.
    pub uptime: Option<Duration>,
    /// The number of open connections from Dovecot's processes.
    pub connections: Option<u64>,
    /// The value of `--max-connections`.
    pub connection_limit: Option<u64>,
    /// The limit of open files.
    pub file_limit: Option<u64>,
    /// The number of refused connections.
    pub refused: Option<u64>,
    /// The number of events read.
    pub events: Option<u64>,
    /// The number of scrapes, without the test scrape of `fantail doctor`.
    pub scrapes: Option<u64>,
    /// By how many seconds the clock was set since its start.
    pub clock_step: Option<i64>,
    /// The metrics as blocks of a configuration; metrics added at run time come last.
    pub metrics: Option<String>,
    /// The path of the state file, and its problem, if any.
    pub state: Option<(String, Option<String>)>,
}

/// The number of events of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricCount {
    /// The name of the metric.
    pub name: Vec<u8>,
    /// The number of events.
    pub count: u64,
}

/// An exporter of a running `fantail serve`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExporterFacts {
    /// Its name.
    pub name: String,
    /// The last error; `None` if the exporter has recovered.
    pub last_error: Option<String>,
    /// The number of lost events by reason.
    pub dropped: Vec<(String, u64)>,
    /// The number of queued events.
    pub waiting: u64,
    /// The size of the spool.
    pub spool_bytes: u64,
    /// The limit of the spool.
    pub spool_limit: Option<u64>,
}

/// A test scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapeFacts {
    /// The address of the listener.
    pub address: String,
    /// Why the scrape failed; `None` if it succeeded.
    pub failure: Option<String>,
}

/// A delivery agent that a mail transfer agent starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAgent {
    /// The file and the line that start the agent.
    pub place: String,
    /// The user that the agent runs as.
    pub user: String,
    /// Whether this user may open `stats-writer`.
    pub may_open: bool,
}

/// Log lines that report the same problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFacts {
    /// The path of the log.
    pub file: String,
    /// The problem that the lines report.
    pub problem: LogProblem,
    /// The number of lines.
    pub lines: u64,
    /// The message of the last line, without its prefix.
    pub last: String,
}

/// A problem that log lines report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogProblem {
    /// A program has no permission to open the socket for events.
    PermissionDenied,
    /// Dovecot could not bind a socket, because another process listens on it.
    SocketExists,
    /// A limit of clients or processes was reached.
    LimitReached,
    /// The clock was set.
    ClockMoved,
    /// The stats process reports an error.
    StatsError,
}

/// A unit of the service manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// The result with which the unit has failed; `None` if it has not failed.
    pub failure: Option<String>,
    /// Whether the unit is active.
    pub is_active: bool,
}
