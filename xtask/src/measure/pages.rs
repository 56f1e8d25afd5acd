//! `cargo xtask bench pages`: what open pages cost the worker.

mod feed;
mod viewers;

use std::{fs, path::Path, time::Duration};

use crate::{
    error::Error,
    measure::compare::{self, mixed, process, server},
    measure::pages::{feed::Feed, viewers::Viewers},
    workspace::Workspace,
};

/// Events that about one in a hundred events of the recording are.
const NAMES: [&str; 16] = [
    "mail_opened",
    "auth_request_finished",
    "auth_client_request_started",
    "auth_client_request_finished",
    "smtp_server_transaction_started",
    "smtp_server_transaction_rcpt_finished",
    "smtp_server_transaction_finished",
    "mail_delivery_started",
    "mail_delivery_finished",
    "client_connection_connected",
    "client_connection_disconnected",
    "auth_client_userdb_lookup_started",
    "auth_client_userdb_lookup_finished",
    "auth_master_client_login_started",
    "auth_master_client_login_finished",
    "mail_expunged",
];

/// Metrics of the server.
const BLOCKS: &str = "\
metric all {
  filter = event=*
  group_by = event
}
metric commands {
  filter = event=imap_command_finished
  group_by = user cmd_name
}
";

/// The token of the server.
const TOKEN: &str = "a-token-of-the-benchmark";

/// The most that pages may cost beside as many taps.
const BOUND: f64 = 1.05;

/// Measures what open pages cost the worker of `fantail serve`.
///
/// Events arrive at a constant rate, each with a write of its own, as from Dovecot's
/// processes. Prints the worker's processor time with pages and with taps of the same
/// filters, in turn, and fails if pages cost over 5 % more than taps.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Events in a second.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// Pages that are open.
    #[arg(long, default_value_t = 100)]
    pages: usize,
    /// Seconds of a measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of rounds; the table has the medians.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Measure this build of fantail, not that of the working tree.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<std::path::PathBuf>,
}

/// Who watches during a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    None,
    /// This number of taps, each with a filter of its own.
    Taps(usize),
    /// All pages, with this number of filters.
    Pages(usize),
}

const ROWS: [Watching; 5] = [
    Watching::None,
    Watching::Taps(1),
    Watching::Pages(1),
    Watching::Taps(NAMES.len()),
    Watching::Pages(NAMES.len()),
];

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => compare::build(workspace)?,
    };
    let folder = workspace.logs().join("pages");
    fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
    let stream = mixed::mixed(workspace.root(), options.rate * options.seconds)?;
    let mut taken = ROWS.map(|_| Vec::new());
    for round in 0..options.rounds {
        // The order turns, so that a drift of the machine favours no row.
        for step in 0..ROWS.len() {
            let row = (round + step) % ROWS.len();
            let time = measure(&program, &folder, &stream.bytes, ROWS[row], options)?;
            taken[row].push(time);
        }
    }
    let medians = taken.map(median);
    Ok(print(options, medians))
}

/// Returns the worker's processor time.
fn measure(
    program: &Path,
    folder: &Path,
    stream: &[u8],
    watching: Watching,
    options: &Options,
) -> Result<Duration, Error> {
    let token = folder.join("token");
    fs::write(&token, TOKEN).map_err(Error::at("write", &token))?;
    let path = token.to_string_lossy();
    let server = server::fantail_with(program, folder, BLOCKS, &["--web", "--http-token", &path])?;
    let viewers = match watching {
        Watching::None => Viewers::default(),
        Watching::Taps(count) => {
            Viewers::taps(&server.reader, &NAMES[..count], 2 * options.seconds + 10)?
        }
        Watching::Pages(filters) => {
            Viewers::pages(server.port, TOKEN, &NAMES[..filters], options.pages)?
        }
    };
    let mut feed = Feed::start(&server.writer, stream)?;
    let before = process::cpu_of(server.pid, "worker")?;
    feed.play(options.rate)?;
    let after = process::cpu_of(server.pid, "worker")?;
    let read = viewers.stop();
    if watching != Watching::None && read == 0 {
        return Err(Error::new(format!("{watching:?} got no event")));
    }
    Ok(after.saturating_sub(before))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints the table; returns whether pages keep to the bound.
#[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
fn print(options: &Options, medians: [Duration; ROWS.len()]) -> bool {
    let events = options.rate * options.seconds;
    let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    println!("| watching | worker, % of a processor | µs an event | beside none | beside taps |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut is_within = true;
    for (at, time) in medians.iter().enumerate() {
        let (name, taps) = match ROWS[at] {
            Watching::None => ("no viewer".to_owned(), None),
            Watching::Taps(count) => (format!("taps, {count}"), None),
            Watching::Pages(filters) => (
                format!("{} pages, filters: {filters}", options.pages),
                Some(medians[at - 1]),
            ),
        };
        let beside = taps.map(|taps| ratio(*time, taps));
        is_within &= beside.is_none_or(|beside| beside <= BOUND);
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {} |",
            time.as_secs_f64() / options.seconds as f64 * 100.0,
            time.as_secs_f64() * 1e6 / events as f64,
            ratio(*time, medians[0]),
            beside.map_or_else(String::new, |beside| format!("{beside:.2}")),
        );
    }
    is_within
}
