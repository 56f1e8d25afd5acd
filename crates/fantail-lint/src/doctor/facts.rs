//! What was seen of an installation, without a judgement.

use std::time::Duration;

use fantail_config::Release;

/// An installation as it was seen. What is `None` or empty was not seen, and nothing is
/// concluded from it.
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
    /// Attempts to scrape.
    pub scrapes: Vec<ScrapeFacts>,
    /// Delivery agents that connect as other users.
    pub agents: Vec<DeliveryAgent>,
    /// What logs say since Dovecot's last start or reload.
    pub log: Vec<LogFacts>,
    /// Units of the service manager.
    pub units: Vec<UnitFacts>,
}

/// What was seen of Dovecot.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DovecotFacts {
    /// Its release, as `dovecot --version` prints it.
    pub release: Option<Release>,
    /// Why `doveconf` refuses the configuration.
    pub refusal: Option<String>,
    /// `stats_writer_socket_path`, as `doveconf` prints it.
    pub writer_path: Option<String>,
    /// `client_limit` of its stats service.
    pub client_limit: Option<u64>,
    /// Whether its master runs.
    pub is_running: Option<bool>,
    /// The mail processes of users (`imap`, `pop3`, …) that are old enough to have connected.
    pub mail_processes: Option<usize>,
    /// By how many seconds the clock was set since its start.
    pub clock_step: Option<i64>,
}

/// A socket of the stats service.
#[derive(Debug, Clone)]
pub struct SocketFacts {
    /// Which.
    pub role: SocketRole,
    /// Its path.
    pub path: String,
    /// What happens on it.
    pub state: SocketState,
    /// Its owner and permissions.
    pub access: Option<SocketAccess>,
    /// Connected processes.
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

/// What happens on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketState {
    /// There is no file.
    Missing,
    /// The file is there, but no process listens.
    Stale,
    /// A process listens.
    Served {
        /// Its program.
        program: SocketOwner,
        /// Its number.
        pid: u32,
    },
    /// It could not be seen.
    Unseen,
}

/// A program that listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SocketOwner {
    /// Dovecot.
    Dovecot,
    /// `fantail serve`.
    Fantail,
    /// Another one, or one that could not be told.
    Other(String),
}

/// The owner and the permissions of a socket, and who of Dovecot needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAccess {
    /// Permissions.
    pub mode: u32,
    /// The number of the owner.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
    /// The number of the account that has to open the socket: the group of Dovecot's
    /// processes, the user of login processes.
    pub needed: Option<u32>,
    /// The name of that account.
    pub needed_name: String,
}

/// A running `fantail serve`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServerFacts {
    /// How long it has run.
    pub uptime: Option<Duration>,
    /// Open connections of Dovecot's processes.
    pub connections: Option<u64>,
    /// `--max-connections`.
    pub connection_limit: Option<u64>,
    /// The limit of open files.
    pub file_limit: Option<u64>,
    /// Connections that were refused.
    pub refused: Option<u64>,
    /// Events read.
    pub events: Option<u64>,
    /// Scrapes, that of the doctor left out.
    pub scrapes: Option<u64>,
    /// By how many seconds the clock was set since its start.
    pub clock_step: Option<i64>,
    /// Its metrics as blocks of a configuration, those that were added at run time last.
    pub metrics: Option<String>,
    /// The state file, and what is wrong with it.
    pub state: Option<(String, Option<String>)>,
}

/// The number of events of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricCount {
    /// The metric.
    pub name: Vec<u8>,
    /// The number.
    pub count: u64,
}

/// An exporter of a running `fantail serve`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExporterFacts {
    /// Its name.
    pub name: String,
    /// What went wrong last, unless it works again.
    pub last_error: Option<String>,
    /// Lost events by reason.
    pub dropped: Vec<(String, u64)>,
    /// Events that wait.
    pub waiting: u64,
    /// The size of its spool.
    pub spool_bytes: u64,
    /// The limit of the spool.
    pub spool_limit: Option<u64>,
}

/// An attempt to scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapeFacts {
    /// Where.
    pub address: String,
    /// Why there was no good answer.
    pub failure: Option<String>,
}

/// A delivery agent that another program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAgent {
    /// The file that runs it, with the line.
    pub place: String,
    /// The user that it runs as.
    pub user: String,
    /// Whether this user may open `stats-writer`.
    pub may_open: bool,
}

/// Lines of a log that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFacts {
    /// The file.
    pub file: String,
    /// What they say.
    pub problem: LogProblem,
    /// How many.
    pub lines: u64,
    /// The last of them, without what precedes the message.
    pub last: String,
}

/// What lines of a log say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogProblem {
    /// A program could not open the socket for events: permission denied.
    PermissionDenied,
    /// Dovecot could not bind a socket: another process has it.
    SocketExists,
    /// A limit of clients or processes was reached.
    LimitReached,
    /// Time moved.
    ClockMoved,
    /// The stats process reports an error.
    StatsError,
}

/// A unit of the service manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// Whether it has failed, and with what result.
    pub failure: Option<String>,
    /// Whether it is active.
    pub is_active: bool,
}
