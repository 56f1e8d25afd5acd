//! `cargo xtask fuzz`: the fuzz targets, with the stable toolchain.
//!
//! They run without a sanitizer: nearly all code is safe Rust, the targets
//! assert properties, and coverage guidance needs no unstable flag. The one
//! unsafe module (`text/tabs/vector.rs` of fantail-event) is tested with
//! `--address`.

mod campaign;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    tools,
    workspace::Workspace,
};

/// Linux has a file system in memory here.
const MEMORY_FOLDER: &str = "/dev/shm";

/// Looks for inputs for which a property does not hold.
///
/// What it finds is copied to `testdata/fuzz/<target>/`: commit it with the
/// fix, and each later run of the tests replays it. The corpus grows in
/// `fuzz/corpus/<target>/`, which is not committed.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The target to run.
    #[arg(required_unless_present_any = ["all", "build", "list"])]
    target: Option<String>,

    /// Run all targets one after another, and print a table of executions,
    /// coverage and finds.
    #[arg(long, conflicts_with_all = ["target", "seconds", "address", "build", "list"])]
    all: bool,

    /// For how long each, with `--all`.
    #[arg(long, default_value_t = 1, requires = "all", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,

    /// For how long.
    #[arg(long, default_value_t = 60)]
    seconds: u32,

    /// With the address sanitizer, which needs the nightly toolchain of rustup.
    #[arg(long, conflicts_with_all = ["build", "list"])]
    address: bool,

    /// Only build the targets, all or the one named.
    #[arg(long, conflicts_with = "list")]
    build: bool,

    /// Only print the names of the targets.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let targets = workspace.fuzz_targets()?;
    if options.list {
        println!("{}", targets.join("\n"));
        return Ok(true);
    }
    if let Some(name) = &options.target
        && !targets.contains(name)
    {
        let known = targets.join(", ");
        return Err(Error::new(format!(
            "no fuzz target {name}; there are {known}"
        )));
    }
    if options.build {
        let mut steps = Steps::new(workspace.logs(), true);
        steps.step("fuzz", |steps| {
            build(workspace, steps, options.target.as_deref())
        });
        return Ok(steps.finish());
    }
    if options.all {
        return campaign::run(workspace, &targets, options.minutes);
    }
    let Some(target) = &options.target else {
        return Err(Error::new("no target named"));
    };
    let hunt = Hunt {
        target,
        seconds: options.seconds,
        with_address: options.address,
    };
    let finds = found_in(workspace, target, &mut hunter(workspace, &hunt)?)?;
    Ok(finds.has_ended)
}

/// Builds one target or all as plain programs, to check that they build and link:
/// without coverage, so that they share what the tests have built.
pub(crate) fn build(workspace: &Workspace, steps: &Steps, target: Option<&str>) -> Outcome {
    if !tools::has_cxx(workspace) {
        return Outcome::Skipped("no C++ compiler, which libFuzzer is built with".to_owned());
    }
    let mut command = workspace.cargo(["build", "--manifest-path", "fuzz/Cargo.toml"]);
    match target {
        Some(target) => command.args(["--bin", target]),
        None => command.arg("--bins"),
    };
    command.env("CARGO_TARGET_DIR", workspace.target());
    steps.run("fuzz", [command])
}

/// A target, its time and its options.
struct Hunt<'a> {
    target: &'a str,
    seconds: u32,
    with_address: bool,
}

/// The finds of a hunt.
struct Finds {
    /// Whether it ended without a find.
    has_ended: bool,
    /// The files in `testdata/fuzz`.
    names: Vec<String>,
}

/// Returns the command of a hunt.
fn hunter(workspace: &Workspace, hunt: &Hunt<'_>) -> Result<Command, Error> {
    if !tools::has_cargo_command(workspace, "fuzz") {
        return Err(Error::new(
            "cargo-fuzz is not installed: cargo install --locked cargo-fuzz",
        ));
    }
    let root = workspace.root();
    let corpus = root.join("fuzz/corpus").join(hunt.target);
    let kept = root.join("testdata/fuzz").join(hunt.target);
    for folder in [&corpus, &kept] {
        fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
    }
    let mut command = fuzzer(workspace, hunt.target, hunt.with_address);
    let time = format!("-max_total_time={}", hunt.seconds);
    command
        .args([&corpus, &kept])
        .args(["--", &time, "-timeout=10"]);
    Ok(command)
}

/// Runs the command of a hunt, and copies its finds.
fn found_in(workspace: &Workspace, target: &str, command: &mut Command) -> Result<Finds, Error> {
    let root = workspace.root();
    let kept = root.join("testdata/fuzz").join(target);
    let found = root.join("fuzz/artifacts").join(target);
    let before = names(&found);
    let status = command
        .status()
        .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    let after = names(&found);
    let new: Vec<String> = after.difference(&before).cloned().collect();
    for name in &new {
        let copy = kept.join(name);
        fs::copy(found.join(name), &copy).map_err(Error::at("write", &copy))?;
        let copy = copy.strip_prefix(root).unwrap_or(&copy);
        println!("found: {} (commit it with the fix)", copy.display());
    }
    Ok(Finds {
        has_ended: status.success(),
        names: new,
    })
}

fn fuzzer(workspace: &Workspace, target: &str, with_address: bool) -> Command {
    let sanitizer = match with_address {
        true => "--sanitizer=address",
        false => "--sanitizer=none",
    };
    let mut command = workspace.cargo(["fuzz", "run", sanitizer, target]);
    if with_address {
        command.env("RUSTUP_TOOLCHAIN", "nightly");
    }
    // Spools are folders, created for each input: in memory if possible.
    if Path::new(MEMORY_FOLDER).is_dir() {
        command.env("TMPDIR", MEMORY_FOLDER);
    }
    command.env("CARGO_TARGET_DIR", target_folder(workspace));
    command
}

/// The folder is not that of the main build, which has another profile and
/// other flags.
fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.logs().join("fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
