//! `cargo xtask bench latency`: what has to be there before it is run.
//!
//! It compares the program with Dovecot's stats process, so the program is
//! built first, as it would be installed.

use crate::{error::Error, workspace::Workspace};

/// The benchmark's name.
pub(crate) const NAME: &str = "latency";

/// Builds the program; whether that went well.
pub(crate) fn prepare(workspace: &Workspace) -> Result<bool, Error> {
    let status = workspace
        .cargo(["build", "--release", "--package", "fantail-cli"])
        .status()
        .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}
