//! `cargo xtask simulate`: queues, spools and files on a simulated system.

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    workspace::Workspace,
};

/// Runs parts of fantail on a simulated system, one run for each seed.
///
/// The disk loses power and reports errors, the clock jumps, and the target fails,
/// as the seed says. A seed for which a promise does not hold is run again, and its
/// trace is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many seeds each scenario is run with.
    #[arg(long, value_name = "N", default_value_t = SEEDS)]
    seeds: u64,

    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Only this scenario.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,

    /// Plants each fault, and fails if one of them is not found.
    #[arg(long)]
    planted: bool,

    /// Builds with optimisation, for many seeds.
    #[arg(long)]
    release: bool,
}

/// Seeds of each scenario in continuous integration.
const SEEDS: u64 = 2_000;

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let (seeds, seed) = (options.seeds.to_string(), options.seed.to_string());
    let mut command = workspace.cargo(["run", "--quiet", "--package", "fantail-simulate"]);
    if options.release {
        command.arg("--release");
    }
    command.args(["--", "--seeds", &seeds, "--seed", &seed]);
    if options.planted {
        command.arg("--planted");
    }
    if let Some(scenario) = &options.scenario {
        command.args(["--scenario", scenario]);
    }
    let status = command.status();
    let status = status.map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}

/// Runs all scenarios.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    let seeds = SEEDS.to_string();
    let command = workspace.cargo([
        "run",
        "--quiet",
        "--package",
        "fantail-simulate",
        "--",
        "--seeds",
        &seeds,
    ]);
    match steps.run("simulate", [command]) {
        Outcome::Passed(_) => Outcome::Passed(format!("{seeds} seeds for each scenario")),
        outcome => outcome,
    }
}
