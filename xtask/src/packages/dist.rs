//! `cargo xtask dist`: builds the packages and tries them.
//!
//! [`stage`] collects files that do not depend on the build, such as manual pages.
//! [`package`] makes a Debian package and a tarball of them. [`trial`] installs the
//! package in clean Debian roots, and [`bare`] runs the static program in an empty root.

mod bare;
mod build;
mod package;
mod stage;
mod trial;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use self::{build::Target, stage::Stage, trial::Suite};
use crate::{error::Error, workspace::Workspace};

/// Makes the Debian package, the static tarball, and their checksums.
///
/// They are in `target/dist`, with a list of all that the program is made of (SBOM).
/// The maintainer of the package is that of `--maintainer`, else of DEBFULLNAME and
/// DEBEMAIL, as for other tools of Debian. Needs cargo-deb and cargo-cyclonedx (`cargo install`); the tarball needs
/// `rustup target add x86_64-unknown-linux-musl` and musl-gcc.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Package this program in place of a new build; makes no tarball.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// Make only the tarball.
    #[arg(long, conflicts_with = "binary")]
    only_tarball: bool,

    /// The maintainer of the package.
    #[arg(long, value_name = "NAME <ADDRESS>")]
    maintainer: Option<String>,

    /// Install, upgrade, remove and purge the package in clean Debian roots, and run
    /// the static program in an empty root.
    ///
    /// Beside a Dovecot that goes on working. Needs root, debootstrap, and the
    /// network for roots that are not there yet.
    #[arg(long = "try")]
    try_it: bool,

    /// Where the roots are kept.
    #[arg(long, value_name = "FOLDER", default_value = "/var/tmp/fantail-roots")]
    roots: PathBuf,

    /// Try it in these releases of Debian only.
    #[arg(long, value_enum, value_name = "SUITE")]
    suite: Vec<Suite>,

    /// Boot the roots with systemd-nspawn, try the units, and plant the faults that
    /// `fantail doctor` has to find, beside Prometheus and fail2ban.
    #[arg(long, requires = "try_it")]
    systemd: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let folder = workspace.target().join("dist");
    fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
    let epoch = epoch(workspace)?;
    let maintainer = maintainer(options);
    let mut files = Vec::new();
    if !options.only_tarball {
        let program = match &options.binary {
            Some(program) => program.clone(),
            None => build::release(workspace, &folder, Target::Gnu)?,
        };
        let stage = Stage::fill(workspace, &folder.join("deb"), &program, epoch, &maintainer)?;
        let package = package::debian(workspace, &stage, &folder, None)?;
        package::lint(&package)?;
        if options.try_it {
            let older = package::debian(workspace, &stage, &folder.join("older"), Some("0.0.1-1"))?;
            let packages = trial::Packages {
                older: &older,
                newer: &package,
            };
            trial::run(workspace, options, &packages)?;
        }
        files.push(package);
        files.push(stage.list(&folder)?);
    }
    if options.binary.is_none() {
        let program = build::release(workspace, &folder, Target::Musl)?;
        let stage = Stage::fill(
            workspace,
            &folder.join("static"),
            &program,
            epoch,
            &maintainer,
        )?;
        let tarball = package::tarball(workspace, &stage, &folder)?;
        if options.try_it {
            bare::run(&tarball, &options.roots)?;
        }
        files.push(tarball);
        if options.only_tarball {
            files.push(stage.list(&folder)?);
        }
    }
    for file in package::checksums(&folder, &files)? {
        println!("{}", file.display());
    }
    Ok(true)
}

/// Returns the modification time of files in packages: the time of the commit, for
/// reproducible builds.
fn epoch(workspace: &Workspace) -> Result<u64, Error> {
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => output(workspace.command("git").args(["log", "-1", "--format=%ct"]))?,
    };
    let seconds = text.trim().parse();
    seconds.map_err(|_| Error::new(format!("`{text}` is no time in seconds")))
}

/// Returns the maintainer of the package; by default an address without a reader.
fn maintainer(options: &Options) -> String {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let given = options.maintainer.clone().or_else(|| {
        let (name, address) = (variable("DEBFULLNAME")?, variable("DEBEMAIL")?);
        Some(format!("{name} <{address}>"))
    });
    given.unwrap_or_else(|| {
        println!(
            "the package names no maintainer who can be reached: set DEBFULLNAME and DEBEMAIL, \
             or --maintainer"
        );
        stage::NO_MAINTAINER.to_owned()
    })
}

/// Runs a command, and shows its output only if it fails.
fn silently(command: &mut Command) -> Result<(), Error> {
    output(command).map(drop)
}

/// Returns the output of a command.
fn output(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Error::caused(format!("cannot run {program}"), error))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        return Err(Error::new(format!("{program}: {status}\n{said}{errors}")));
    }
    Ok(said)
}

/// Creates an empty folder, in place of an existing one.
fn emptied(folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::at("remove", folder))?;
    }
    fs::create_dir_all(folder).map_err(Error::at("make", folder))
}
