//! `cargo xtask models`: threads in the orders that shuttle chooses, and tests of
//! threads with a sanitizer.

use std::process::Command;

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    tools,
    workspace::Workspace,
};

/// Runs the models of threads, or with `--sanitizer` the tests of the transports.
///
/// A model that fails prints the order of its threads, which gives the same run again.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs the tests of fantail-transport with this sanitizer instead, which needs the
    /// nightly toolchain of rustup, for `thread` with the component rust-src.
    #[arg(long, value_enum)]
    sanitizer: Option<Sanitizer>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sanitizer {
    /// Finds memory that is used after its end.
    Address,
    /// Finds memory that threads use without an order.
    Thread,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let mut command = match options.sanitizer {
        None => models(workspace),
        Some(_) if !tools::has_toolchain(workspace, "nightly") => {
            let message = "no nightly toolchain: rustup toolchain install nightly \
                           --component rust-src";
            return Err(Error::new(message));
        }
        Some(sanitizer) => sanitized(workspace, sanitizer),
    };
    let status = command.status();
    let status = status.map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}

/// Runs the models.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    steps.run("models", [models(workspace)])
}

fn models(workspace: &Workspace) -> Command {
    let test = ["test", "--package", "fantail-simulate", "--test", "models"];
    let mut command = workspace.cargo(test);
    command.env("RUSTFLAGS", "--cfg shuttle");
    command.env("CARGO_TARGET_DIR", workspace.target().join("models"));
    command
}

fn sanitized(workspace: &Workspace, sanitizer: Sanitizer) -> Command {
    // The name of the target keeps the flags from programs that run while building.
    let target = "x86_64-unknown-linux-gnu";
    let mut command = workspace.command("rustup");
    command.args(["run", "nightly", "cargo", "test", "--target", target]);
    command.args(["--package", "fantail-transport", "--lib", "--tests"]);
    let flags = match sanitizer {
        Sanitizer::Address => "-Zsanitizer=address",
        Sanitizer::Thread => {
            command.arg("-Zbuild-std");
            "-Zsanitizer=thread"
        }
    };
    command.env("RUSTFLAGS", flags);
    command.env("CARGO_TARGET_DIR", workspace.target().join("sanitizer"));
    command.env_remove("RUSTC").env_remove("RUSTDOC");
    command
}
