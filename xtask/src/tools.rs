//! Which tools this machine has. A task asks here, and leaves out (and names)
//! what it has no tool for.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use crate::workspace::Workspace;

/// A target without a standard library: what builds for it needs none.
pub(crate) const BARE_TARGET: &str = "x86_64-unknown-none";

/// The target of browsers.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Whether `cargo <name>` is there.
pub(crate) fn has_cargo_command(workspace: &Workspace, name: &str) -> bool {
    succeeds(workspace.cargo([name, "--version"]))
}

/// Whether a program is there that knows `--version`.
pub(crate) fn has_program(workspace: &Workspace, program: &str) -> bool {
    let mut command = workspace.command(program);
    command.arg("--version");
    succeeds(command)
}

/// What the Rust compiler says it is; empty if it says nothing.
pub(crate) fn compiler(workspace: &Workspace) -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut command = workspace.command(&rustc);
    let output = command.arg("--version").output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Whether a C++ compiler is there, which libFuzzer is built with.
pub(crate) fn has_cxx(workspace: &Workspace) -> bool {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut command = workspace.command(&compiler);
    command.arg("--version");
    succeeds(command)
}

/// Whether the toolchain has the libraries for a target.
pub(crate) fn has_target(workspace: &Workspace, target: &str) -> bool {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut command = workspace.command(&rustc);
    command.args(["--print", "target-libdir", "--target", target]);
    command.output().is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim_end()).is_dir()
    })
}

/// Whether rustup has a toolchain.
pub(crate) fn has_toolchain(workspace: &Workspace, name: &str) -> bool {
    let mut command = workspace.command("rustup");
    command.args(["run", name, "rustc", "--version"]);
    succeeds(command)
}

/// Whether the tests will find a Dovecot 2.4.
pub(crate) fn has_dovecot_2_4() -> bool {
    let root = env::var_os("DOVECOT_2_4_ROOT");
    root.is_some_and(|root| Path::new(&root).join("usr/sbin/dovecot").is_file())
}

fn succeeds(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
