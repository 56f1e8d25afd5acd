//! `cargo xtask bench compare`: ours beside the installed Dovecot's stats process.
//!
//! Both get the same bytes over the stats-writer socket, one after the other,
//! in fresh processes, several rounds with the order turned around; what is
//! compared is the time on a processor that the kernel counted for each, and
//! what both counted must be the same.

mod bare;
mod builds;
mod counting;
pub(crate) mod feed;
mod load;
pub(crate) mod mixed;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod stream;
mod syscalls;
mod table;

use std::{
    collections::{HashMap, hash_map::Entry},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    error::Error,
    measure::compare::{
        builds::Builds,
        feed::{Clients, Script, Writes},
        load::{Feed, Load},
        server::Server,
        stream::Stream,
    },
    workspace::Workspace,
};

/// Measures `fantail serve` beside Debian's Dovecot 2.3 stats process.
///
/// Both read the same streams (a recording played over and over). Prints a
/// table of processor time an event, memory and ratios; needs `dovecot` and
/// root. Compare the ratios only: a machine's speed drifts.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only loads whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Events in a stream, of cheap loads five times as many; that of many users
    /// has twice their number.
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// Number of rounds; the table has the median.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Put the table into docs/performance.md.
    #[arg(long)]
    write: bool,
    /// Measure this build of fantail; without it, one is built.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Compare with this other build of fantail, not with Dovecot; `rounds` are
    /// pairs then, and 15 are few.
    #[arg(long, value_name = "PROGRAM", conflicts_with = "write")]
    beside: Option<PathBuf>,
}

/// What one server took for one load.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// From its start until it waits for events.
    start: Duration,
    cpu: Duration,
    wall: Duration,
    /// Bytes at the most.
    memory: u64,
    /// For a dump and for a scrape.
    dump: Duration,
    scrape: Duration,
}

/// A load with what both took in each round.
#[derive(Debug)]
struct Row {
    load: Load,
    events: u64,
    /// Lines of the dump.
    series: usize,
    dovecot: Vec<Taken>,
    fantail: Vec<Taken>,
    /// What a reader took that throws the bytes away, where each line is a
    /// write of its own.
    bare: Vec<Duration>,
    /// System calls of Dovecot and of fantail, where each line is a write of its own
    /// and `perf` counts them.
    syscalls: Option<[u64; 2]>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build(workspace)?,
    };
    process::raise_file_limit();
    let folder = workspace.logs().join("compare");
    let mut streams = HashMap::new();
    let mut rows = Vec::new();
    let mut beside = String::from(builds::HEAD);
    let wanted = |load: &Load| {
        let only = options.only.as_ref();
        only.is_none_or(|part| load.name.contains(part.as_str()))
    };
    for load in load::all().into_iter().filter(wanted) {
        let events = options.events * load.times;
        let stream = match streams.entry((load.feed, events)) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => place.insert(make(workspace, load.feed, events)?),
        };
        eprintln!("{} …", load.name);
        if let Some(other) = &options.beside {
            let this = &program;
            let row = Builds { this, other }.measure(&folder, &load, stream, options.rounds)?;
            eprint!("{row}");
            beside.push_str(&row);
            continue;
        }
        let row = measure(&program, &folder, load, stream, options.rounds)?;
        eprintln!("{}", table::line(&row));
        rows.push(row);
    }
    if options.beside.is_some() {
        print!("{beside}");
        return Ok(true);
    }
    let text = table::render(&rows, &streams);
    println!("{text}");
    if options.write {
        table::write(workspace.root(), &text)?;
    }
    Ok(rows.iter().all(Row::reached))
}

pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf, Error> {
    let mut command = workspace.cargo(["build", "--release", "--package", "fantail-cli"]);
    match command.status() {
        Ok(status) if status.success() => Ok(workspace.target().join("release/fantail")),
        Ok(_) => Err(Error::new("fantail does not build")),
        Err(error) => Err(Error::new(format!("cannot run cargo: {error}"))),
    }
}

fn make(workspace: &Workspace, feed: Feed, events: u64) -> Result<Stream, Error> {
    match feed {
        Feed::Recorded => stream::recorded(workspace.root(), events),
        Feed::Mixed => mixed::mixed(workspace.root(), events),
        Feed::Users(users) => Ok(stream::users(users, 2)),
        Feed::Counting => Ok(Stream {
            bytes: [stream::HANDSHAKE, &counting::lines(events)]
                .concat()
                .into(),
            events,
        }),
    }
}

fn measure(
    program: &Path,
    folder: &Path,
    load: Load,
    stream: &Stream,
    rounds: usize,
) -> Result<Row, Error> {
    let mut row = Row {
        events: stream.events,
        load,
        series: 0,
        dovecot: Vec::new(),
        fantail: Vec::new(),
        bare: Vec::new(),
        syscalls: None,
    };
    let script = Script::new(&stream.bytes, row.load.writes);
    for round in 0..rounds {
        let mut counted = Vec::new();
        for turn in 0..2 {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(Error::at("empty", folder))?;
            }
            let (server, into) = if (round + turn) % 2 == 0 {
                (server::dovecot(folder, &row.load.blocks)?, &mut row.dovecot)
            } else {
                let server = server::fantail(program, folder, &row.load.blocks)?;
                (server, &mut row.fantail)
            };
            let (taken, lines) = one(&server, &script)?;
            into.push(taken);
            counted.push(lines);
        }
        if counted[0] != counted[1] {
            return Err(Error::new(format!(
                "{}: the two counted differently",
                row.load.name
            )));
        }
        row.series = counted[0].len();
        if row.has_single_writes() {
            row.bare.push(bare::reading(folder, &script)?);
        }
    }
    if row.has_single_writes() {
        let dovecot = syscalls::of(&server::dovecot(folder, &row.load.blocks)?, &script)?;
        let fantail = server::fantail(program, folder, &row.load.blocks)?;
        let fantail = syscalls::of(&fantail, &script)?;
        row.syscalls = dovecot.zip(fantail).map(<[u64; 2]>::from);
    }
    Ok(row)
}

/// One server, from rest to rest.
fn one(server: &Server, script: &Script<'_>) -> Result<(Taken, Vec<String>), Error> {
    let clients = Clients::connect(&server.writer, script)?;
    let before = process::settled(server.pid)?;
    let start = Instant::now();
    clients.play(script)?;
    let wall = start.elapsed();
    let fed = process::settled(server.pid)?;
    let lines = feed::dump(&server.reader, "count")?;
    let dumped = process::settled(server.pid)?;
    feed::scrape(server.port)?;
    let scraped = process::settled(server.pid)?;
    let taken = Taken {
        start: before,
        cpu: fed.saturating_sub(before),
        wall,
        memory: process::peak_memory(server.pid)?,
        dump: dumped.saturating_sub(fed),
        scrape: scraped.saturating_sub(dumped),
    };
    Ok((taken, lines))
}

impl Row {
    /// Whether each line is a write of its own.
    const fn has_single_writes(&self) -> bool {
        matches!(self.load.writes, Writes::EachLine(_))
    }

    /// The ratios of the rounds, ascending.
    fn ratios(&self) -> Vec<f64> {
        self.ratios_of(|taken| taken.cpu)
    }

    fn ratios_of(&self, what: impl Fn(&Taken) -> Duration) -> Vec<f64> {
        let pairs = self.dovecot.iter().zip(&self.fantail);
        let mut ratios: Vec<f64> = pairs
            .map(|(theirs, ours)| what(theirs).as_secs_f64() / what(ours).as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    fn reached(&self) -> bool {
        let ratios = self.ratios();
        let median = ratios.get(ratios.len() / 2);
        match (median, self.load.target) {
            (Some(median), Some(target)) => *median >= target,
            _ => true,
        }
    }
}
