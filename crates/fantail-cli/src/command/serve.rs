//! `fantail serve`: replaces Dovecot's stats process.

use std::{iter, net::SocketAddr, panic::resume_unwind, path::PathBuf, thread, time::Duration};

use clap::Args;
use fantail::{
    config::{self, Loaded},
    server::{
        Configuration, FileLimit, HttpAccess, HttpTls, Limits, Log, RecordSettings, Server,
        ServerError, ServerOptions,
    },
};

use crate::{
    command::{check, push::Push},
    dialect::Rules,
    exit::{Failure, Findings, say},
    flag,
    io::configuration,
    io::hostname,
    io::terminal,
};

/// The default of `--record-limit`, which fits a few million events.
const DEFAULT_RECORD_LIMIT: &str = "1G";

/// Replace Dovecot's stats process.
///
/// The server receives the events of Dovecot's processes, counts and exports them by
/// the metric and event_exporter blocks of a configuration, and answers doveadm stats
/// and Prometheus. SIGHUP or `fantail reload` reloads the configuration. SIGTERM stops
/// the server.
#[derive(Debug, Args)]
#[command(after_help = "\
Dovecot must not create the sockets itself. Set in dovecot.conf:

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

Exit status: 0 the server was stopped; 1 the server could not start, or failed;
2 wrong usage.")]
pub(crate) struct Arguments {
    /// Configuration: dovecot.conf, or a file that includes it; default: the
    /// configuration of this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// Socket for events; default: stats-writer and login/stats-writer below base_dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) writer: Option<PathBuf>,
    /// Permissions of the sockets for events; default: those of the configuration, or
    /// Dovecot's defaults: 0660, and 0600 for login/stats-writer.
    #[arg(long, value_name = "MODE", value_parser = flag::mode)]
    writer_mode: Option<u32>,
    /// Do not create login/stats-writer, the socket for login processes. Login processes
    /// log errors when they lose their connection to the other socket.
    #[arg(long)]
    pub(crate) no_login_writer: bool,
    /// Socket for doveadm stats; default: stats-reader below base_dir.
    #[arg(long, value_name = "PATH")]
    pub(crate) reader: Option<PathBuf>,
    /// Permissions of the socket for doveadm stats; default: those of the configuration,
    /// or 0600.
    #[arg(long, value_name = "MODE", value_parser = flag::mode)]
    reader_mode: Option<u32>,
    /// Start even if Dovecot's configuration binds the same sockets. Dovecot cannot
    /// start while the server runs.
    #[arg(long)]
    ignore_dovecot: bool,
    /// Address for scrapes; default: the inet_listener http of service stats, on
    /// 127.0.0.1 unless the listener names an address.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<SocketAddr>,
    /// Comma-separated names that the Host header of a request may have, besides
    /// localhost, IP addresses, and this machine's host name.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    http_hosts: Vec<String>,
    /// File with the bearer token that requests to /api need.
    #[arg(long, value_name = "FILE")]
    pub(crate) http_token: Option<PathBuf>,
    /// Enable TLS with this PEM file: the certificate, followed by its intermediate
    /// certificates.
    #[arg(long, value_name = "FILE", requires = "http_tls_key")]
    pub(crate) http_tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "http_tls_cert")]
    http_tls_key: Option<PathBuf>,
    /// Unix socket for HTTP, with access for its owner only and without a token.
    #[arg(long, value_name = "PATH")]
    pub(crate) http_socket: Option<PathBuf>,
    /// Require the token or the Unix socket also for scrapes.
    #[arg(long)]
    http_private: bool,
    /// Serve a page for browsers at /, with live events, metrics and exporters. It needs
    /// --http-token or --http-socket, and an address for HTTP.
    #[arg(long)]
    web: bool,
    /// Use Dovecot's layout for /metrics, unless a scraper requests another format.
    #[arg(long)]
    compat_metrics: bool,
    /// Number of threads that read events; default: one per core, at most 4.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// File that keeps the counts across restarts.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Interval of writes to the state file: 5min, or a number of seconds.
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = flag::interval)]
    state_interval: Duration,
    /// Host name in exported events; default: this machine's.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Command fields to sum up in fantail_session_finished, the event that fantail
    /// derives at the end of a session.
    #[arg(
        long,
        value_name = "FIELDS",
        default_value = "bytes_in bytes_out net_in_bytes net_out_bytes"
    )]
    session_sums: String,
    /// Record everything that clients send in this new file, for `fantail replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Maximum size of the recording.
    #[arg(long, value_name = "SIZE", default_value = DEFAULT_RECORD_LIMIT, value_parser = flag::size)]
    record_limit: u64,
    /// Run as this user after all sockets are bound.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Time limit for the shutdown: the server reads from clients for at most half of
    /// this time.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = flag::duration)]
    patience: Duration,
    #[command(flatten)]
    push: Push,
    #[cfg(feature = "nats")]
    #[command(flatten)]
    broker: super::nats::Broker,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// The resource limits of the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Bounds {
    /// Maximum number of connections of Dovecot's processes; the server closes others.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    pub(crate) max_connections: usize,
    /// Maximum number of live events per connection; the server closes a connection that
    /// exceeds this limit.
    #[arg(long, value_name = "N", default_value_t = Limits::default().live.live_events)]
    max_live_events: usize,
    /// Maximum memory of the live events of a connection.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = flag::memory)]
    max_live_bytes: usize,
    /// Maximum memory of series, connections, sessions, queues and unread answers
    /// together; docs/limits.md says what each does without memory.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = flag::memory)]
    max_memory: usize,
    /// Memory for recent events, which `fantail tap --since` shows; 16M stores a few ten
    /// thousand events. Storing events costs about a quarter more CPU time per event. The
    /// memory is part of --max-memory, at most 1/32 of it.
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = flag::memory)]
    recent: usize,
    /// Maximum age of recent events.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = flag::interval)]
    recent_age: Duration,
    /// Maximum size of an export's payload; larger events are dropped.
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
    // The time limit is for a pipe without a reader as standard error.
    log.flush(LOG_PATIENCE);
    Ok(served.unwrap_or(Findings::Some))
}

/// The time that the shutdown waits for a reader of standard error.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

fn serve(arguments: &Arguments, log: &Log) -> Result<Findings, ServerError> {
    let options = options(arguments, log.clone());
    let configuration = Configuration::read(&options)?;
    let loaded = configuration.loaded();
    if loaded.diagnostics.has_errors() {
        let style = terminal::style();
        let drawn = config::render(&loaded.diagnostics, &loaded.sources, style);
        log.line(drawn.trim_end());
        return Ok(Findings::Some);
    }
    let (server, description) = start(options, &configuration)?;
    // Freeing it takes a fifth of the time of reading it. Without a thread, it is freed here.
    let _ = thread::Builder::new().spawn(move || drop(configuration));
    description.iter().for_each(|line| log.line(line));
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

/// Starts the server, and describes its configuration on a thread meanwhile.
fn start(
    options: ServerOptions,
    configuration: &Configuration,
) -> Result<(Server, Vec<String>), ServerError> {
    let loaded = configuration.loaded();
    if options.user.is_some() {
        // That user may not be allowed to look at the files of all findings.
        let description = describe(loaded);
        return Ok((Server::start_with(options, configuration)?, description));
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("describe".to_owned());
        let describing = thread.spawn_scoped(scope, || describe(loaded))?;
        let server = Server::start_with(options, configuration);
        let description = describing.join();
        let description = description.unwrap_or_else(|panic| resume_unwind(panic));
        Ok((server?, description))
    })
}

/// Returns the lines of the log about a configuration: its name and size, and the
/// findings of `fantail check`.
fn describe(loaded: &Loaded) -> Vec<String> {
    let settings = &loaded.settings;
    let file = loaded.sources.ids().next();
    let name = file.map_or(&[][..], |file| loaded.sources.name(file));
    let metrics = check::counted(settings.metrics.len(), "metric");
    let exporters = check::counted(settings.exporters.len(), "exporter");
    let (name, dovecot) = (String::from_utf8_lossy(name), settings.target());
    let size = format!("{name} is read as Dovecot {dovecot}: {metrics}, {exporters}");
    let findings = check::drawn_findings(loaded);
    iter::once(size).chain(findings).collect()
}

/// The number of open files besides connections: sockets, logs, export targets.
const OTHER_FILES: u64 = 100;

/// Logs a change of the limit of open files, and warns if the limit is too low for
/// the allowed connections.
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
        release: arguments.rules.release(),
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
            web: arguments.web,
        },
        compat_metrics: arguments.compat_metrics,
        push: arguments.push.options(),
        workers: arguments.workers.map_or(defaults.workers, usize::from),
        state: arguments.state.clone(),
        #[cfg(feature = "nats")]
        nats: arguments.broker.options(),
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

/// Returns the TLS files; clap requires both or neither.
fn tls(arguments: &Arguments) -> Option<HttpTls> {
    let (certificate, key) = (&arguments.http_tls_cert, &arguments.http_tls_key);
    let (certificate, key) = certificate.clone().zip(key.clone())?;
    Some(HttpTls { certificate, key })
}

fn words(text: &str) -> Vec<Vec<u8>> {
    let words = text.split_whitespace();
    words.map(|word| word.as_bytes().to_vec()).collect()
}
