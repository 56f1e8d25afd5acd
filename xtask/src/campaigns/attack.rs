//! `cargo xtask attack`: hostile clients, files and targets against a server.
//!
//! Each attack has a server of its own in a temporary folder. The server is
//! killed if it takes more memory or time than the attack allows. While the attack
//! runs, another client asks `/readyz`, and measures the longest stall. The server
//! exports the longest turn of a thread in CPU time.

pub(crate) mod clients;
mod clock;
mod exports;
mod hostile_clients;
mod readers;
mod recordings;
mod report;
mod service_manager;
mod spools;
mod states;
mod surroundings;
mod target;
mod tls;
mod watch;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;

use self::{report::Report, target::Target};
use crate::{error::Error, workspace::Workspace};

/// Attacks a server with all that has once broken it.
///
/// Prints a JSON object for each attack: whether it passed, what failed, the peak
/// of the server's memory, the longest stall, the longest turn of a thread, and the
/// time of its end. Fails if an
/// attack failed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run only these attacks.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Print the names of all attacks.
    #[arg(long)]
    list: bool,
    /// Fail if an attack is left out, as CI does.
    #[arg(long)]
    no_skips: bool,
    /// The program to attack; by default a release build.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// An attack, and what the server has to withstand. `FOLDER` in texts is the folder
/// of the server.
struct Attack {
    name: &'static str,
    /// The blocks of the configuration.
    blocks: &'static str,
    /// More arguments of the server.
    arguments: &'static [&'static str],
    /// How the server is started.
    start: Start,
    /// Programs without which the attack is left out.
    needs: &'static [&'static str],
    /// Makes files in the folder before the server starts.
    prepare: fn(&Path) -> Result<(), Error>,
    /// Whether nothing reads the standard error of the server.
    unread_log: bool,
    /// Bytes that the server may have in memory.
    max_peak_bytes: u64,
    /// How long the server may take to end.
    max_end: Duration,
    /// Runs the attack; an error says what broke.
    run: fn(&mut Target) -> Result<(), Error>,
}

/// How a server is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Directly,
    /// With this limit of open files.
    WithFiles(u32),
    /// With a file system of 1 MiB in `FOLDER/disk`.
    WithSmallDisk,
    /// With a clock that the file `FOLDER/clock` sets.
    WithClock,
    /// By a service manager that hands sockets over, good ones and others.
    WithSockets,
}

const MIB: u64 = 1 << 20;

/// The bounds of most attacks.
const BASE: Attack = Attack {
    name: "",
    blocks: "",
    arguments: &[],
    start: Start::Directly,
    needs: &[],
    prepare: |_| Ok(()),
    unread_log: false,
    max_peak_bytes: 256 * MIB,
    max_end: Duration::from_secs(15),
    run: |_| Ok(()),
};

/// Counts the events of honest clients.
const HONEST: &str = "metric honest {\n  filter = event=honest AND category=imap\n}\n";

/// Longer stalls of `/readyz` fail an attack.
const MAX_STALL: Duration = Duration::from_secs(2);

/// Longer turns fail an attack: 100 ms, and a step of the clock that measures them.
const MAX_TURN: Duration = Duration::from_millis(104);

/// All attacks.
fn attacks() -> impl Iterator<Item = &'static Attack> {
    let clients = hostile_clients::ATTACKS.iter().chain(readers::ATTACKS);
    let files = states::ATTACKS.iter().chain(spools::ATTACKS);
    let files = files.chain(recordings::ATTACKS);
    let others = tls::ATTACKS.iter().chain(clock::ATTACKS);
    let others = others.chain(service_manager::ATTACKS);
    clients
        .chain(surroundings::ATTACKS)
        .chain(files)
        .chain(others)
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    if options.list {
        attacks().for_each(|attack| println!("{}", attack.name));
        return Ok(true);
    }
    for name in &options.only {
        if !attacks().any(|attack| attack.name == name) {
            return Err(Error::new(format!(
                "unknown attack {name}; --list prints the names"
            )));
        }
    }
    let program = match &options.program {
        Some(program) => program.clone(),
        None => workspace.release_build()?,
    };
    let is_chosen = |attack: &&Attack| {
        let mut only = options.only.iter();
        options.only.is_empty() || only.any(|name| name == attack.name)
    };
    let mut all_passed = true;
    for attack in attacks().filter(is_chosen) {
        let missing = attack.needs.iter().find(|needed| !is_there(needed));
        let report = match missing {
            Some(missing) => Report::skipped(attack.name, format!("{missing} is not installed")),
            None => carry_out(attack, &program)?,
        };
        println!("{}", report.to_json());
        all_passed &= report.failures.is_empty();
        all_passed &= report.skipped.is_none() || !options.no_skips;
    }
    Ok(all_passed)
}

/// Whether a program, or a file by its path, is there.
fn is_there(needed: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    Path::new(needed).is_file() || folders.any(|folder| folder.join(needed).is_file())
}

fn carry_out(attack: &'static Attack, program: &Path) -> Result<Report, Error> {
    let begun = Instant::now();
    let mut target = Target::start(program, attack)?;
    let mut failures = Vec::new();
    if let Err(error) = (attack.run)(&mut target) {
        failures.push(error.to_string());
    }
    let ended = target.end(attack.max_end);
    if !failures.is_empty() || !ended.in_time {
        failures.push(target.last_logged());
    }
    if let Some(why) = ended.killed {
        failures.push(why);
    }
    if !ended.in_time {
        failures.push(format!(
            "did not end within {:?} of SIGTERM",
            attack.max_end
        ));
    }
    if ended.longest_stall > MAX_STALL {
        failures.push(format!("/readyz stalled for {:?}", ended.longest_stall));
    }
    if ended.longest_turn > MAX_TURN {
        failures.push(format!("a turn of {:?}", ended.longest_turn));
    }
    if ended.peak_bytes > attack.max_peak_bytes {
        failures.push(format!("{} MiB in memory", ended.peak_bytes / MIB));
    }
    Ok(Report {
        attack: attack.name,
        skipped: None,
        failures,
        peak_bytes: ended.peak_bytes,
        longest_stall: ended.longest_stall,
        longest_turn: ended.longest_turn,
        end: ended.took,
        whole: begun.elapsed(),
    })
}
