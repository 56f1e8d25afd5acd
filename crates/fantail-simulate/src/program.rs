//! `simulate`: runs scenarios with many seeds, and shows the first that fails.

#![allow(
    clippy::print_stdout,
    reason = "a program for people: what it prints is its result"
)]

use std::{num::NonZeroUsize, process::ExitCode, thread, time::Instant};

use clap::Parser;
use fantail_simulate::{Failure, Fault, Scenario};

/// Runs queues, spools and files on a simulated system.
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds each scenario is run with.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,

    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Only this scenario.
    #[arg(long)]
    scenario: Option<String>,

    /// Plants each fault, and fails if one of them is not found.
    #[arg(long)]
    planted: bool,

    /// How many threads run seeds; by default one for each processor.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

impl Options {
    fn threads(&self) -> u64 {
        let given = self
            .threads
            .or_else(|| thread::available_parallelism().ok());
        given.map_or(1, |count| count.get() as u64)
    }

    fn scenarios(&self) -> impl Iterator<Item = Scenario> {
        let name = self.scenario.as_deref();
        let chosen = move |scenario: &Scenario| name.is_none_or(|name| name == scenario.name());
        Scenario::ALL.into_iter().filter(chosen)
    }

    /// Runs a scenario with all seeds; returns how many fail, and the first of them.
    fn run(&self, scenario: Scenario) -> (u64, Option<u64>) {
        let (end, threads) = (self.seed + self.seeds, self.threads());
        let share = move |first: u64| {
            let step = usize::try_from(threads).unwrap_or(1);
            let seeds = (self.seed + first..end).step_by(step);
            let failed = seeds.filter(|seed| scenario.run(*seed, None, false).is_err());
            failed.fold((0, None), |(count, first), seed| {
                (count + 1, first.or(Some(seed)))
            })
        };
        thread::scope(|scope| {
            let shares: Vec<_> = (0..threads)
                .map(|first| scope.spawn(move || share(first)))
                .collect();
            let shares = shares.into_iter().filter_map(|share| share.join().ok());
            shares.fold((0, None), |(all, first), (count, seed)| {
                (all + count, first.into_iter().chain(seed).min())
            })
        })
    }

    /// Returns the first seed that finds a fault.
    fn find(&self, scenario: Scenario, fault: Fault) -> Option<Failure> {
        let mut seeds = self.seed..self.seed + self.seeds;
        seeds.find_map(|seed| scenario.run(seed, Some(fault), false).err())
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_good = match options.planted {
        true => find_planted(&options),
        false => run_all(&options),
    };
    match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn run_all(options: &Options) -> bool {
    let mut is_good = true;
    for scenario in options.scenarios() {
        let start = Instant::now();
        let (failed, first) = options.run(scenario);
        let (name, seeds, time) = (scenario.name(), options.seeds, start.elapsed());
        println!("{name}: {seeds} seeds, {failed} failed, {time:.1?}");
        if let Some(seed) = first {
            is_good = false;
            if let Err(failure) = scenario.run(seed, None, true) {
                println!("{failure}");
            }
        }
    }
    is_good
}

fn find_planted(options: &Options) -> bool {
    let mut missed = 0;
    for scenario in options.scenarios() {
        for fault in scenario.planted() {
            let name = scenario.name();
            match options.find(scenario, *fault) {
                Some(failure) => println!("{fault:?}: {failure}"),
                None => {
                    missed += 1;
                    println!("{fault:?}: {name} misses it");
                }
            }
        }
    }
    missed == 0
}
