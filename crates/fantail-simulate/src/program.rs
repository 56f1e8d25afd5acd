//! `simulate`: runs scenarios with many seeds, or one seed with its trace.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people: what it prints is its result"
)]

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use fantail_simulate::Scenario;

/// Runs queues, spools and files on a simulated system.
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds each scenario is run with.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,

    /// The first seed; alone, the only one, and its trace is printed.
    #[arg(long)]
    seed: Option<u64>,

    /// Only this scenario.
    #[arg(long)]
    scenario: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let chosen = |scenario: &&Scenario| {
        let name = options.scenario.as_deref();
        name.is_none_or(|name| name == scenario.name())
    };
    let mut failures = 0;
    for scenario in Scenario::ALL.iter().filter(chosen) {
        let (first, count) = match options.seed {
            Some(seed) => (seed, 1),
            None => (0, options.seeds),
        };
        let start = Instant::now();
        let failed = (first..first + count)
            .filter_map(|seed| scenario.run(seed, None, false).err())
            .collect::<Vec<_>>();
        let (name, time) = (scenario.name(), start.elapsed());
        println!("{name}: {count} seeds, {} failed, {time:.1?}", failed.len());
        failures += failed.len();
        for failure in failed.iter().skip(1).take(9) {
            println!("{failure}");
        }
        if let Some(failure) = failed.first()
            && let Err(traced) = scenario.run(failure.seed, None, true)
        {
            println!("{traced}");
        }
    }
    match failures {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
