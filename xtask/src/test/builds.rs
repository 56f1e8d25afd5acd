//! Builds of the libraries with other features, targets and toolchains.

use std::process::Command;

use crate::{
    steps::{Outcome, Steps},
    tools,
    workspace::{Package, Workspace},
};

/// One by one: together, what a feature lacks another one would bring.
pub(super) fn features(workspace: &Workspace, steps: &Steps) -> Outcome {
    let with_features = workspace.packages.iter();
    let with_features = with_features.filter(|package| {
        let library = workspace.root().join(&package.folder).join("src/lib.rs");
        !package.features.is_empty() && library.is_file()
    });
    let commands: Vec<Command> = with_features
        .flat_map(|package| {
            let without = std::iter::once("");
            let features = package.features.iter().map(String::as_str);
            without.chain(features).map(|feature| {
                let name = package.name.as_str();
                let mut command = workspace.cargo(["check", "--lib", "--package", name]);
                command.args(["--no-default-features", "--features", feature]);
                command
            })
        })
        .collect();
    let count = commands.len();
    match steps.run("features", commands) {
        Outcome::Passed(_) => Outcome::Passed(format!("{count} sets")),
        outcome => outcome,
    }
}

pub(super) fn no_std(workspace: &Workspace, steps: &Steps) -> Outcome {
    let crates: Vec<&Package> = workspace
        .packages
        .iter()
        .filter(|package| is_no_std(workspace, package))
        .collect();
    if !tools::has_target(workspace, tools::BARE_TARGET) {
        let target = tools::BARE_TARGET;
        // Not every toolchain can have it; the attribute itself is always checked.
        return Outcome::Optional(format!("no target {target}: rustup target add {target}"));
    }
    // One by one: together, a feature that one of them needs would be there
    // for all.
    let commands = crates.iter().map(|package| {
        workspace.cargo([
            "check",
            "--lib",
            "--target",
            tools::BARE_TARGET,
            "--package",
            package.name.as_str(),
        ])
    });
    match steps.run("no-std", commands) {
        Outcome::Passed(_) => {
            let names: Vec<&str> = crates.iter().map(|package| package.name.as_str()).collect();
            Outcome::Passed(names.join(", "))
        }
        outcome => outcome,
    }
}

fn is_no_std(workspace: &Workspace, package: &Package) -> bool {
    let library = workspace.root().join(&package.folder).join("src/lib.rs");
    let text = std::fs::read(library).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .any(|line| line.trim_end() == "#![no_std]")
}

/// Without default features: those may need a newer one.
pub(super) fn old_rust(workspace: &Workspace, steps: &Steps) -> Outcome {
    let promises = workspace
        .packages
        .iter()
        .map(|package| package.rust.as_str());
    let Some(oldest) = promises.min_by_key(|version| release(version)) else {
        return Outcome::Failed("no package names a release of Rust".to_owned());
    };
    let toolchain = format!("{oldest}.0");
    if !tools::has_toolchain(workspace, &toolchain) {
        return Outcome::Optional(format!(
            "no Rust {oldest}: rustup toolchain install {toolchain} --profile minimal"
        ));
    }
    let oldest = workspace.packages.iter().filter(|one| one.rust == oldest);
    let names: Vec<&str> = oldest.map(|package| package.name.as_str()).collect();
    // One by one: together, a feature that one of them needs would be there
    // for all.
    let commands = names.iter().map(|name| {
        let mut command = workspace.command("rustup");
        command.args(["run", &toolchain, "cargo", "check", "--lib"]);
        command.args(["--no-default-features", "--package", name]);
        command.env("CARGO_TARGET_DIR", workspace.logs().join("old-rust"));
        // What runs while building need not be fast.
        command.args(["--config", "profile.dev.package.'*'.opt-level=0"]);
        command.env_remove("RUSTC").env_remove("RUSTDOC");
        command
    });
    match steps.run("old-rust", commands) {
        Outcome::Passed(_) => Outcome::Passed(format!("{toolchain}: {}", names.join(", "))),
        outcome => outcome,
    }
}

/// The numbers of a release: `1.88`.
fn release(version: &str) -> Vec<u32> {
    version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}
