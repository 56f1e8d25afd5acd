//! `fantail serve`: in the place of Dovecot's stats process.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use fantail::{
    config::{self, Loaded},
    server::{
        FileLimit, HttpAccess, HttpTls, Limits, Log, RecordSettings, Server, ServerError,
        ServerOptions,
    },
};

use crate::{
    command::check,
    dialect::Rules,
    exit::{Failure, Findings, say},
    flag,
    io::configuration,
    io::hostname,
    io::terminal,
};

/// How much is recorded without `--record-limit`: some million events.
const DEFAULT_RECORD_LIMIT: &str = "1G";

/// Take the place of Dovecot's stats process.
///
/// Listens where Dovecot's processes send their events, counts and exports by
/// the metric and event_exporter blocks of a configuration, and answers
/// doveadm stats and Prometheus. SIGHUP or `fantail reload` reads the
/// configuration again, SIGTERM ends it.
#[derive(Debug, Args)]
#[command(after_help = "\
Dovecot must leave the sockets to it. In dovecot.conf:

  service stats {
    unix_listener stats-writer {
      mode = 0
    }
    unix_listener login/stats-writer {
      mode = 0
    }
    unix_listener stats-reader {
      mode = 0
    }
  }

Exit status: 0 it was told to stop; 1 it could not start or go on; 2 wrong
usage.")]
pub(crate) struct Arguments {
    /// The dovecot.conf, or a file that includes it; without it, that of this
    /// machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// The socket for events; without it, stats-writer and login/stats-writer
    /// below base_dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) writer: Option<PathBuf>,
    /// Its permissions; without it, those of the configuration, else
    /// 0660, and 0600 for the one of login processes, as Dovecot's.
    #[arg(long, value_name = "MODE", value_parser = flag::mode)]
    writer_mode: Option<u32>,
    /// No socket for login processes, login/stats-writer: they complain in the
    /// log once they have lost the other.
    #[arg(long)]
    pub(crate) no_login_writer: bool,
    /// The socket for doveadm stats; without it, stats-reader below base_dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) reader: Option<PathBuf>,
    /// Its permissions; without it, those of the configuration, else 0600.
    #[arg(long, value_name = "MODE", value_parser = flag::mode)]
    reader_mode: Option<u32>,
    /// Start although Dovecot's configuration binds the same sockets: Dovecot
    /// will not start after this.
    #[arg(long)]
    ignore_dovecot: bool,
    /// Where scrapes are answered; without it, the inet_listener http of
    /// service stats, on 127.0.0.1 unless that names an address.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<SocketAddr>,
    /// Names that scrapers may use in Host, besides localhost, addresses, and the
    /// host name.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    http_hosts: Vec<String>,
    /// The token that /api asks for, in Authorization: Bearer.
    #[arg(long, value_name = "FILE")]
    pub(crate) http_token: Option<PathBuf>,
    /// Answer over TLS with this certificate in PEM, followed by those of its
    /// authorities.
    #[arg(long, value_name = "FILE", requires = "http_tls_key")]
    pub(crate) http_tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "http_tls_cert")]
    http_tls_key: Option<PathBuf>,
    /// A Unix socket for HTTP, for its owner alone, that needs no token.
    #[arg(long, value_name = "PATH")]
    pub(crate) http_socket: Option<PathBuf>,
    /// Ask for the token, or the socket, for scrapes too.
    #[arg(long)]
    http_private: bool,
    /// Lay /metrics out as Dovecot does, unless a scraper asks otherwise.
    #[arg(long)]
    compat_metrics: bool,
    /// Threads that read events; without it, one for each core, at most 4.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Keep what is counted here over a restart.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// How often it is saved: 5min, or a number of seconds.
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = flag::interval)]
    state_interval: Duration,
    /// The host name in exported events; without it, this machine's.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Fields of commands to sum up for fantail_session_finished, the event at
    /// the end of a session that a metric may ask for.
    #[arg(
        long,
        value_name = "FIELDS",
        default_value = "bytes_in bytes_out net_in_bytes net_out_bytes"
    )]
    session_sums: String,
    /// Keep all that clients send in this new file, for `fantail replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// How large that file may grow.
    #[arg(long, value_name = "SIZE", default_value = DEFAULT_RECORD_LIMIT, value_parser = flag::size)]
    record_limit: u64,
    /// Become this user once all sockets are bound.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// How long the end may take: clients are read for half of it at most.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = flag::duration)]
    patience: Duration,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// What clients may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Bounds {
    /// Connections of Dovecot's processes; more are closed at once.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    pub(crate) max_connections: usize,
    /// Events that live on one connection; it is closed beyond.
    #[arg(long, value_name = "N", default_value_t = Limits::default().live.live_events)]
    max_live_events: usize,
    /// Memory that they take.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = flag::memory)]
    max_live_bytes: usize,
    /// Memory of connections and of answers that are not read; a connection
    /// that needs more is closed, an answer refused.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = flag::memory)]
    max_memory: usize,
    /// Memory for the last events, which `fantail tap --since` shows; 16M is some
    /// ten thousands. Each event costs a quarter more CPU then. It is part of
    /// --max-memory, a thirty-second part at most.
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = flag::memory)]
    recent: usize,
    /// How long these events are kept at most.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = flag::interval)]
    recent_age: Duration,
    /// Size of the largest payload of an export; larger events are dropped.
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = flag::memory)]
    max_payload: usize,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let log = Log::queued(|line| say(format_args!("{line}")));
    let log = log.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let served = serve(arguments, &log);
    if let Err(error) = &served {
        log.line(&format!("error: {error}"));
    }
    // Standard error may be a pipe without a reader.
    log.flush(LOG_PATIENCE);
    Ok(served.unwrap_or(Findings::Some))
}

/// How long the end waits for a reader of standard error.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

fn serve(arguments: &Arguments, log: &Log) -> Result<Findings, ServerError> {
    let options = options(arguments, log.clone());
    let loaded = configuration::load_silently(&options.config, &arguments.rules.options());
    if loaded.diagnostics.has_errors() {
        let style = terminal::style();
        let drawn = config::render(&loaded.diagnostics, &loaded.sources, style);
        log.line(drawn.trim_end());
        return Ok(Findings::Some);
    }
    let server = Server::start(options)?;
    tell_configuration(log, &loaded);
    tell_files(log, server.file_limit(), arguments.bounds.max_connections);
    let scheme = match arguments.http_tls_cert {
        Some(_) => "https",
        None => "http",
    };
    let sockets = server.socket_paths();
    let sockets = sockets.iter().map(|path| path.display().to_string());
    log.line(&format!(
        "listening on {}",
        sockets.collect::<Vec<_>>().join(", ")
    ));
    for address in server.http_addresses() {
        log.line(&format!("listening on {scheme}://{address}/metrics"));
    }
    log.line(&format!("fantail {} is ready", env!("CARGO_PKG_VERSION")));
    server.run()?;
    Ok(Findings::None)
}

/// Says what is served, and what `fantail check` would say of it.
fn tell_configuration(log: &Log, loaded: &Loaded) {
    let settings = &loaded.settings;
    let file = loaded.sources.ids().next();
    let name = file.map_or(&[][..], |file| loaded.sources.name(file));
    let metrics = check::counted(settings.metrics.len(), "metric");
    let exporters = check::counted(settings.exporters.len(), "exporter");
    let (name, dovecot) = (String::from_utf8_lossy(name), settings.target());
    log.line(&format!(
        "{name} is read as Dovecot {dovecot}: {metrics}, {exporters}"
    ));
    if let Some(findings) = check::drawn_findings(loaded) {
        log.line(&findings);
    }
}

/// Files besides those of connections: sockets, logs, targets.
const OTHER_FILES: u64 = 100;

/// A connection is an open file.
fn tell_files(log: &Log, limit: FileLimit, connections: usize) {
    let FileLimit { before, now, .. } = limit;
    if before < now {
        log.line(&format!(
            "the limit of open files was raised from {before} to {now}"
        ));
    }
    if now < (connections as u64).saturating_add(OTHER_FILES) {
        let needed = (connections as u64).saturating_add(OTHER_FILES);
        log.line(&format!(
            "{connections} connections are allowed, but the limit of open files is {now}: raise it \
             to {needed} (LimitNOFILE), or lower --max-connections"
        ));
    }
}

fn options(arguments: &Arguments, log: Log) -> ServerOptions {
    let record = arguments.record.as_ref().map(|path| RecordSettings {
        path: path.clone(),
        limit: arguments.record_limit,
        duration: None,
    });
    let defaults = ServerOptions::new(configuration::find(arguments.config.as_deref()), log);
    let bounds = &arguments.bounds;
    let mut limits = defaults.limits.clone();
    limits.connections = bounds.max_connections;
    limits.memory = bounds.max_memory;
    limits.recent = bounds.recent;
    limits.recent_age = bounds.recent_age;
    limits.payload = bounds.max_payload;
    limits.live.live_events = bounds.max_live_events;
    limits.live.live_bytes = bounds.max_live_bytes;
    let hostname = arguments.hostname.clone().map(String::into_bytes);
    let mut session_rules = defaults.session_rules.clone();
    session_rules.sums = words(&arguments.session_sums);
    ServerOptions {
        dialect: arguments.rules.dialect(),
        writer: arguments.writer.clone(),
        writer_mode: arguments.writer_mode,
        login_writer: !arguments.no_login_writer,
        reader: arguments.reader.clone(),
        reader_mode: arguments.reader_mode,
        ignore_dovecot: arguments.ignore_dovecot,
        http: arguments.http,
        http_access: HttpAccess {
            hosts: arguments.http_hosts.clone(),
            token: arguments.http_token.clone(),
            tls: tls(arguments),
            socket: arguments.http_socket.clone(),
            private: arguments.http_private,
        },
        compat_metrics: arguments.compat_metrics,
        workers: arguments.workers.map_or(defaults.workers, usize::from),
        state: arguments.state.clone(),
        state_interval: arguments.state_interval,
        hostname: hostname.unwrap_or_else(hostname::of_this_machine),
        user: arguments.user.clone(),
        patience: arguments.patience,
        service_manager: true,
        signals: true,
        session_rules,
        limits,
        record,
        ..defaults
    }
}

/// The files of TLS: clap lets neither come without the other.
fn tls(arguments: &Arguments) -> Option<HttpTls> {
    let (certificate, key) = (&arguments.http_tls_cert, &arguments.http_tls_key);
    let (certificate, key) = certificate.clone().zip(key.clone())?;
    Some(HttpTls { certificate, key })
}

fn words(text: &str) -> Vec<Vec<u8>> {
    let words = text.split_whitespace();
    words.map(|word| word.as_bytes().to_vec()).collect()
}
