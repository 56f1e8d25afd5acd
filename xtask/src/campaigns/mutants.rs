//! `cargo xtask mutants`: how many small faults the tests find.

mod outcomes;
mod sample;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use self::outcomes::Outcomes;
use crate::{error::Error, tools, workspace::Workspace};

/// Plants a random sample of faults, and counts those that the tests find.
///
/// Each fault is tested with the tests of its own crate; those that survive are tested
/// with the tests of the crates that use all others. Prints the share of found faults
/// with the lower bound of its 95 % confidence interval, and the faults that survive.
/// Needs cargo-mutants and cargo-nextest.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only faults of these crates; by default of all libraries.
    #[arg(long = "crate", value_name = "CRATE")]
    crates: Vec<String>,
    /// The size of the sample.
    #[arg(long, value_name = "N", default_value_t = 200)]
    sample: usize,
    /// The seed of the sample.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Stop after this time. The faults tested until then are a random part of the
    /// sample.
    #[arg(long, value_name = "N", default_value_t = 240)]
    minutes: u64,
}

/// Crates without code of the product, or with a program's code.
const LEFT_OUT: &[&str] = &[
    "fantail",
    "fantail-cli",
    "fantail-oracle",
    "fantail-testkit",
];

/// The crates whose tests are run for what survives.
const TESTED_AGAIN: &str = "fantail-engine,fantail-lint,fantail-server,fantail-cli";

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    for tool in ["mutants", "nextest"] {
        if !tools::has_cargo_command(workspace, tool) {
            return Err(Error::new(format!("cargo-{tool} is not installed")));
        }
    }
    let deadline = Instant::now() + Duration::from_secs(options.minutes.saturating_mul(60));
    let crates = crates(workspace, options)?;
    let all = list(workspace, &crates)?;
    let chosen = sample::choose(&all, options.sample, options.seed);
    println!(
        "{} of {} faults, seed {}",
        chosen.len(),
        all.len(),
        options.seed
    );
    let folder = workspace.logs().join("mutants");
    let first = test(workspace, &chosen, &folder.join("own"), &[], deadline)?;
    let survivors = first.missed().to_vec();
    let mut outcomes = first;
    if !survivors.is_empty() && Instant::now() < deadline {
        let more = ["--test-package", TESTED_AGAIN];
        let again = test(
            workspace,
            &survivors,
            &folder.join("others"),
            &more,
            deadline,
        )?;
        outcomes.add_found_later(&again);
    }
    println!("{outcomes}");
    for name in outcomes.missed() {
        println!("survives: {name}");
    }
    Ok(true)
}

/// Returns the crates that get faults.
fn crates(workspace: &Workspace, options: &Options) -> Result<Vec<String>, Error> {
    let libraries = workspace.packages.iter().filter(|package| {
        package.folder.starts_with("crates/") && !LEFT_OUT.contains(&package.name.as_str())
    });
    if options.crates.is_empty() {
        return Ok(libraries.map(|package| package.name.clone()).collect());
    }
    for name in &options.crates {
        if !workspace.packages.iter().any(|it| it.name == *name) {
            return Err(Error::new(format!("no crate {name}")));
        }
    }
    Ok(options.crates.clone())
}

/// Returns the names of all faults of some crates.
fn list(workspace: &Workspace, crates: &[String]) -> Result<Vec<String>, Error> {
    let mut command = workspace.cargo(["mutants", "--list"]);
    for name in crates {
        command.args(["--package", name]);
    }
    let output = command.output().map_err(not_run)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("cargo mutants --list: {said}")));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.lines().map(str::to_owned).collect())
}

/// Tests faults until the deadline.
fn test(
    workspace: &Workspace,
    names: &[String],
    folder: &Path,
    more: &[&str],
    deadline: Instant,
) -> Result<Outcomes, Error> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
    let mut command = workspace.cargo(["mutants", "--test-tool", "nextest", "--no-times"]);
    command.args(["--colors", "never", "--output"]).arg(folder);
    for name in names {
        command.arg("--re").arg(sample::pattern(name));
    }
    command.args(more);
    run_until(command, &folder.join("said"), deadline)?;
    Outcomes::read(&folder.join("mutants.out/outcomes.json"))
}

/// Runs a command, and interrupts it at the deadline.
fn run_until(mut command: Command, log: &Path, deadline: Instant) -> Result<(), Error> {
    let file = fs::File::create(log).map_err(Error::at("write", log))?;
    let again = file.try_clone().map_err(Error::at("write", log))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(again)
        .spawn()
        .map_err(not_run)?;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            let _ = kill_process(Pid::from_child(&child), Signal::INT);
            let _ = child.wait();
            println!("interrupted at the time limit");
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn not_run(error: std::io::Error) -> Error {
    Error::new(format!("cannot run cargo mutants: {error}"))
}
