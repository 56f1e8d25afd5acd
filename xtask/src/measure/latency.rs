//! `cargo xtask bench latency`: IMAP commands of a real Dovecot.
//!
//! It compares the program with Dovecot's stats process, so the program is
//! built first, as it would be installed. It does not use criterion.

use crate::{error::Error, workspace::Workspace};

/// The benchmark's name.
pub(crate) const NAME: &str = "latency";

/// Builds the program and its benchmark, and runs the benchmark, or the part of it that asks
/// for all events; returns whether it succeeded.
pub(crate) fn run(workspace: &Workspace, quick: bool, asked: bool) -> Result<bool, Error> {
    let failed = |error| Error::new(format!("cannot run cargo: {error}"));
    for package in [["fantail-cli", "fantail"], ["fantail-testkit", NAME]] {
        let [package, program] = package;
        let build = ["build", "--release", "--package", package, "--bin", program];
        if !workspace.cargo(build).status().map_err(failed)?.success() {
            return Ok(false);
        }
    }
    let program = workspace.target().join("release").join(NAME);
    let mut command = workspace.command(&program.to_string_lossy());
    if quick {
        command.arg("--quick");
    }
    if asked {
        command.arg("--asked");
    }
    let status = command
        .status()
        .map_err(|error| Error::new(format!("cannot run {}: {error}", program.display())))?;
    Ok(status.success())
}
