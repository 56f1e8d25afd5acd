//! A running `fantail serve`: its flags, and its answers over HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::{Args, FromArgMatches};
use fantail::{
    config::Settings,
    lint::{ExporterFacts, ScrapeFacts, ServerFacts},
};
use serde_json::Value;

use super::{
    Gathered, Questions, connect,
    dovecot::step,
    files::head,
    http::Door,
    process::{self, Processes},
};
use crate::{command::serve::Arguments, io::configuration};

mod state;

/// A running `fantail serve`.
#[derive(Debug)]
pub(super) struct Serve {
    pub(super) pid: u32,
    pub(super) arguments: Box<Arguments>,
}

/// Finds the `fantail serve` that listens on the `stats-writer` socket; otherwise one
/// that uses this configuration.
pub(super) fn find(gathered: &Gathered, processes: &Processes) -> Option<Serve> {
    let writer = gathered.base_dir.join("stats-writer");
    let owner = connect::to(&writer).ok().map(|connected| connected.pid);
    let all: Vec<Serve> = processes
        .named("fantail")
        .filter_map(|process| of_process(process.pid))
        .collect();
    let same = |serve: &Serve| {
        let given = serve.arguments.config.as_deref();
        let folder = process::current_folder(serve.pid).unwrap_or_default();
        folder.join(configuration::find(given)) == gathered.config
    };
    let found = all.iter().position(|serve| Some(serve.pid) == owner);
    let found = found.or_else(|| all.iter().position(same))?;
    all.into_iter().nth(found)
}

/// Parses the flags of a process; returns `None` if it is not `fantail serve`.
fn of_process(pid: u32) -> Option<Serve> {
    let serve = Arguments::augment_args(clap::Command::new("serve"));
    let program = clap::Command::new("fantail").subcommand(serve);
    let matches = program
        .try_get_matches_from(process::command_line(pid))
        .ok()?;
    let (_, matches) = matches.subcommand()?;
    let arguments = Arguments::from_arg_matches(matches).ok()?;
    Some(Serve {
        pid,
        arguments: Box::new(arguments),
    })
}

pub(super) fn gather(
    gathered: &mut Gathered,
    processes: &Processes,
    serve: Option<Serve>,
    questions: &Questions,
) {
    let flag = serve.as_ref().and_then(|serve| serve.arguments.http);
    let addresses = match flag {
        Some(address) => vec![address],
        None => addresses(&gathered.loaded.settings),
    };
    let is_there = gathered.facts.counts.is_some() || serve.is_some();
    let is_tls = serve
        .as_ref()
        .is_some_and(|serve| serve.arguments.http_tls_cert.is_some());
    for address in &addresses {
        let door = Door::Tcp(*address);
        let failure = match is_tls {
            true => door.open().err().map(|error| error.to_string()),
            false => scrape(&door),
        };
        if is_there || failure.is_none() {
            gathered.facts.scrapes.push(ScrapeFacts {
                address: address.to_string(),
                failure,
            });
        }
    }
    let Some(serve) = serve else {
        return;
    };
    let mut facts = ServerFacts::default();
    let limit = serve.arguments.bounds.max_connections;
    facts.connection_limit = u64::try_from(limit).ok();
    facts.file_limit = process::file_limit(serve.pid);
    facts.uptime = processes.get(serve.pid).map(|process| process.age);
    facts.state = state::look(&serve);
    gathered.facts.server = Some(facts);
    ask(gathered, &serve, &addresses, questions);
}

/// Returns the reason why a scrape fails.
fn scrape(door: &Door) -> Option<String> {
    match door.status("/metrics") {
        // 401 means that scrapes need a token, not that they fail.
        Ok(200 | 401) => None,
        Ok(status) => Some(format!("HTTP {status}")),
        Err(error) => Some(error.to_string()),
    }
}

/// Returns the addresses of the HTTP listener of the configuration.
fn addresses(settings: &Settings) -> Vec<SocketAddr> {
    let listeners = settings.stats.inet_listeners.iter();
    let mut listeners = listeners.filter(|one| one.name.value == b"http");
    let found = listeners.find_map(|one| Some((one, one.port.as_ref()?.value)));
    let Some((listener, port)) = found.filter(|(_, port)| *port != 0) else {
        return Vec::new();
    };
    let parsed = listener.addresses.iter().filter_map(|address| {
        let text = String::from_utf8_lossy(&address.value);
        let text = text.trim_start_matches('[').trim_end_matches(']');
        let ip: IpAddr = text.parse().ok()?;
        Some(SocketAddr::from((ip, port)))
    });
    let parsed: Vec<SocketAddr> = parsed.filter(|one| !one.ip().is_unspecified()).collect();
    match parsed.is_empty() {
        // The listener binds all addresses, which include the loopback address.
        true => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
        false => parsed,
    }
}

/// Reads the state of the server and its exporters over HTTP.
fn ask(gathered: &mut Gathered, serve: &Serve, addresses: &[SocketAddr], questions: &Questions) {
    const WHAT: &str = "the state of fantail and its exporters";
    let socket = serve.arguments.http_socket.clone().map(Door::Socket);
    // The doctor has no TLS client.
    let is_plain = serve.arguments.http_tls_cert.is_none();
    let tcp = addresses.first().filter(|_| is_plain);
    let Some(door) = socket.or(tcp.map(|address| Door::Tcp(*address))) else {
        gathered.unseen(
            WHAT,
            "it has no HTTP listener without TLS: `fantail serve --http-socket PATH` is one",
        );
        return;
    };
    let file = questions.token.as_ref();
    let file = file.or(serve.arguments.http_token.as_ref());
    let token = file.and_then(token);
    let answers =
        ["/api/v1/server", "/api/v1/exporters"].map(|path| door.json(path, token.as_deref()));
    let configuration = door.json("/api/v1/configuration", token.as_deref());
    if let (Ok(configuration), Some(facts)) = (configuration, &mut gathered.facts.server) {
        let metrics = configuration.get("metrics_as_text");
        facts.metrics = metrics.and_then(Value::as_str).map(str::to_owned);
    }
    match answers {
        [Ok(server), Ok(exporters)] => {
            if let Some(facts) = &mut gathered.facts.server {
                read_server(&server, facts);
            }
            gathered.facts.exporters = read_exporters(&exporters, &gathered.loaded.settings);
        }
        [Err(error), _] | [_, Err(error)] => {
            let help = "`--http-token` names the file of its token";
            gathered.unseen(WHAT, format!("{error}; {help}"));
        }
    }
}

fn token(file: &PathBuf) -> Option<String> {
    const LIMIT: u64 = 4096;
    let bytes = head(Path::new(file), LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn read_server(server: &Value, facts: &mut ServerFacts) {
    let number = |key: &str| server.get(key).and_then(Value::as_u64);
    facts.connections = number("connections");
    facts.refused = number("refused");
    facts.events = number("events");
    // The count includes the scrape by the doctor.
    facts.scrapes = number("scrapes").map(|scrapes| scrapes.saturating_sub(1));
    let uptime = number("uptime_seconds").map(Duration::from_secs);
    let started = number("started_unix_us").map(Duration::from_micros);
    let started = started.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    if let (Some(uptime), Some(started)) = (uptime, started) {
        facts.clock_step = step(started, uptime);
        facts.uptime = Some(uptime);
    }
}

fn read_exporters(exporters: &Value, settings: &Settings) -> Vec<ExporterFacts> {
    let list = exporters.get("exporters").and_then(Value::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|one| read_exporter(one, settings))
        .collect()
}

fn read_exporter(one: &Value, settings: &Settings) -> ExporterFacts {
    let number = |key: &str| one.get(key).and_then(Value::as_u64).unwrap_or_default();
    let text = |key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut facts = ExporterFacts::default();
    facts.name = text("name").unwrap_or_default();
    facts.last_error = text("last_error");
    facts.waiting = number("waiting");
    facts.spool_bytes = number("spool_bytes");
    let dropped = one.get("dropped").and_then(Value::as_object);
    let dropped = dropped.into_iter().flatten();
    let dropped = dropped.filter_map(|(reason, count)| Some((reason.clone(), count.as_u64()?)));
    facts.dropped = dropped.collect();
    let mut known = settings.exporters.iter();
    let known = known.find(|known| known.name == facts.name.as_bytes());
    let spool = known.and_then(|exporter| exporter.queue.level.spool());
    facts.spool_limit = spool.map(|spool| spool.bytes);
    facts
}
