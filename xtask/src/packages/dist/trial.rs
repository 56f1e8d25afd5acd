//! Installs, upgrades, removes and purges the package in clean Debian roots.
//!
//! debootstrap makes each root once, with Dovecot in it. Each trial runs a script of
//! `contrib/debian/tests` in an overlayfs layer above the root, and removes the layer
//! at the end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use super::{Options, emptied, output, silently};
use crate::{error::Error, workspace::Workspace};

/// A release of Debian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Suite {
    Bookworm,
    Trixie,
}

impl Suite {
    const fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }
}

/// The packages of an upgrade.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    pub(super) older: &'a Path,
    pub(super) newer: &'a Path,
}

/// The packages in a root besides Debian's minimum.
const INSTALLED: &str = "systemd systemd-sysv dbus iproute2 procps curl dovecot-core \
                         dovecot-imapd dovecot-lmtpd netbase prometheus fail2ban nftables";

/// The scripts that run under systemd, each in a layer of its own.
const SCRIPTS: [&str; 2] = ["systemd.sh", "doctor.sh"];

/// The folder of the packages and scripts in a root.
const INSIDE: &str = "trial";

/// Tries the packages in each suite.
pub(super) fn run(
    workspace: &Workspace,
    options: &Options,
    packages: &Packages<'_>,
) -> Result<(), Error> {
    let suites = match options.suite.as_slice() {
        [] => Suite::value_variants(),
        suites => suites,
    };
    for suite in suites {
        let root = root(&options.roots, *suite)?;
        if !options.systemd {
            let layer = filled(workspace, options, &root, packages)?;
            println!("{}: {}", suite.name(), in_chroot(&layer.root)?.trim_end());
            continue;
        }
        for script in SCRIPTS {
            let layer = filled(workspace, options, &root, packages)?;
            let said = booted(&layer.root, script)?;
            println!("{}, {script}: {}", suite.name(), said.trim_end());
        }
    }
    Ok(())
}

/// Returns a layer above a root, with the packages and scripts.
fn filled(
    workspace: &Workspace,
    options: &Options,
    root: &Path,
    packages: &Packages<'_>,
) -> Result<Layer, Error> {
    let layer = Layer::above(root, &options.roots.join("layer"))?;
    let inside = layer.root.join(INSIDE);
    fs::create_dir_all(&inside).map_err(Error::at("make", &inside))?;
    let scripts = workspace.root().join("contrib/debian/tests");
    let mut copy = Command::new("cp");
    silently(copy.arg("-r").arg(scripts.join(".")).arg(&inside))?;
    for (package, name) in [(packages.older, "older.deb"), (packages.newer, "newer.deb")] {
        fs::copy(package, inside.join(name)).map_err(Error::at("copy", package))?;
    }
    Ok(layer)
}

/// Returns the clean root of a suite, and makes it if it does not exist.
fn root(roots: &Path, suite: Suite) -> Result<PathBuf, Error> {
    let root = roots.join(suite.name());
    if root.is_dir() {
        return Ok(root);
    }
    let unfinished = roots.join(format!("{}.unfinished", suite.name()));
    emptied(&unfinished)?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", suite.name()]);
    silently(debootstrap.arg(&unfinished))?;
    // Services must not start in a chroot while packages are installed.
    let policy = unfinished.join("usr/sbin/policy-rc.d");
    fs::write(&policy, "#!/bin/sh\nexit 101\n").map_err(Error::at("write", &policy))?;
    silently(Command::new("chmod").arg("755").arg(&policy))?;
    let install = format!(
        "mount -t proc proc /proc && export DEBIAN_FRONTEND=noninteractive && \
         apt-get update -qq && \
         apt-get install -y -qq --no-install-recommends {INSTALLED} && apt-get clean"
    );
    silently(&mut isolated(&unfinished, &["--mount"], &install))?;
    fs::remove_file(&policy).map_err(Error::at("remove", &policy))?;
    fs::rename(&unfinished, &root).map_err(Error::at("rename", &unfinished))?;
    Ok(root)
}

/// Returns a shell command that runs in a root with separate namespaces.
fn isolated(root: &Path, namespaces: &[&str], script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(namespaces).arg("chroot").arg(root);
    command.args(["sh", "-c", script]);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Runs the steps without systemd, to test only the maintainer scripts.
fn in_chroot(root: &Path) -> Result<String, Error> {
    let script =
        format!("mount -t proc proc /proc && ip link set lo up && exec bash /{INSIDE}/chroot.sh");
    let namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child"];
    output(&mut isolated(root, &namespaces, &script))
}

/// Boots the root and runs a script as a service of it.
fn booted(root: &Path, script: &str) -> Result<String, Error> {
    let unit = root.join("etc/systemd/system/trial.service");
    let text = format!(
        "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\n\
         ExecStart=bash /{INSIDE}/{script}\n\
         ExecStopPost=systemctl poweroff --force --no-block\n\
         StandardOutput=file:/{INSIDE}/said\nStandardError=inherit\n"
    );
    fs::write(&unit, text).map_err(Error::at("write", &unit))?;
    let wanted = root.join("etc/systemd/system/graphical.target.wants");
    fs::create_dir_all(&wanted).map_err(Error::at("make", &wanted))?;
    let link = wanted.join("trial.service");
    std::os::unix::fs::symlink("../trial.service", &link).map_err(Error::at("link", &link))?;
    let mut boot = Command::new("timeout");
    boot.args(["--kill-after=10", "1200", "systemd-nspawn", "--boot"]);
    boot.args(["--quiet", "--private-network", "--register=no"]);
    boot.args(["--keep-unit", "--machine=fantail-trial", "-D"]);
    let booted = output(boot.arg(root));
    let said = root.join(INSIDE).join("said");
    let said = fs::read_to_string(&said).unwrap_or_default();
    if said.lines().last() == Some("all is well") {
        return Ok(said);
    }
    let console = booted.unwrap_or_else(|error| error.to_string());
    Err(Error::new(format!("the trial failed:\n{said}\n{console}")))
}

/// A layer above a root that takes all changes; removed when dropped.
#[derive(Debug)]
struct Layer {
    folder: PathBuf,
    root: PathBuf,
}

impl Layer {
    fn above(lower: &Path, folder: &Path) -> Result<Self, Error> {
        let layer = Self {
            folder: folder.to_owned(),
            root: folder.join("root"),
        };
        // Removes the layer that an interrupted trial may have left.
        let _ = silently(Command::new("umount").arg(&layer.root));
        emptied(folder)?;
        for name in ["root", "changes", "work"] {
            let path = folder.join(name);
            fs::create_dir(&path).map_err(Error::at("make", &path))?;
        }
        let (changes, work) = (folder.join("changes"), folder.join("work"));
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            changes.display(),
            work.display()
        );
        let mut mount = Command::new("mount");
        mount.args(["-t", "overlay", "overlay", "-o", &options]);
        silently(mount.arg(&layer.root))?;
        Ok(layer)
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        // Removing files below a mounted layer would change the root.
        if silently(Command::new("umount").arg(&self.root)).is_ok() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
