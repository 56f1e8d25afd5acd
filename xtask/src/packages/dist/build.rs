//! Release builds for packages.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{error::Error, workspace::Workspace};

/// The C library of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// glibc, for the Debian package: finds users and groups in any NSS database.
    Gnu,
    /// musl, linked statically: runs on any Linux.
    Musl,
}

impl Target {
    const fn triple(self) -> &'static str {
        match self {
            Self::Gnu => "x86_64-unknown-linux-gnu",
            Self::Musl => "x86_64-unknown-linux-musl",
        }
    }
}

/// Builds the program without paths of this machine in it.
///
/// The build uses a separate target folder, because its flags differ from those of
/// other builds.
pub(super) fn release(
    workspace: &Workspace,
    folder: &Path,
    target: Target,
) -> Result<PathBuf, Error> {
    let build = folder.join("build");
    let mut command = workspace.cargo(["build", "--release", "--locked", "--package"]);
    command.args(["fantail-cli", "--target", target.triple()]);
    command.env("CARGO_TARGET_DIR", &build);
    command.env("RUSTFLAGS", flags(workspace));
    if target == Target::Musl {
        command.env("CC_x86_64_unknown_linux_musl", "musl-gcc");
    }
    let status = command
        .status()
        .map_err(|error| Error::caused("cannot run cargo", error))?;
    if !status.success() {
        return Err(Error::new(format!(
            "the build for {} failed",
            target.triple()
        )));
    }
    Ok(build.join(target.triple()).join("release/fantail"))
}

/// Returns flags that map the paths of sources to `/fantail` and `/cargo`.
fn flags(workspace: &Workspace) -> String {
    let root = workspace.root().display();
    let home = env::var("HOME").unwrap_or_default();
    let cargo = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    format!("--remap-path-prefix={root}=/fantail --remap-path-prefix={cargo}=/cargo")
}
