//! A stock Dovecot in a separate folder, for tests that need a real one.
//!
//! [`Installation`] is an available Dovecot: 2.3 as installed on the machine,
//! 2.4 in the folder of `DOVECOT_2_4_ROOT` (see `.ci/run`). A [`Site`] is a
//! folder with a configuration and a Dovecot: IMAP and POP3 on free ports, LMTP
//! on a socket, one password for all users. [`Traffic`] runs mail clients,
//! [`play`] sends a recording. Each ends when it is dropped, and leaves no
//! file.
//!
//! Only root can start a site: it serves mail to many users, and 2.4 needs
//! `chroot`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "for tests: what does not work must fail, at the place where it did"
)]

mod play;
mod settings;
mod site;
mod traffic;

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Command,
};

pub use self::{
    play::play,
    settings::{StatsService, Users},
    site::Site,
    traffic::{Report, Traffic},
};
use crate::skip;

/// A series of Dovecot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.3.
    V2_3,
    /// 2.4.
    V2_4,
}

impl Version {
    /// Returns the form of `fantail`'s `--dialect`: `2.3`.
    #[must_use]
    pub const fn series(self) -> &'static str {
        match self {
            Self::V2_3 => "2.3",
            Self::V2_4 => "2.4",
        }
    }
}

/// A Dovecot that can be started.
#[derive(Debug, Clone)]
pub struct Installation {
    version: Version,
    /// The folder for `chroot` before a program is run.
    root: Option<PathBuf>,
}

impl Installation {
    /// Returns a Dovecot of this version; if none can be started, [`skip`]s the
    /// calling test.
    #[must_use]
    pub fn find(version: Version) -> Option<Self> {
        let root = match version {
            Version::V2_3 => None,
            Version::V2_4 => match env::var_os("DOVECOT_2_4_ROOT") {
                Some(root) => Some(PathBuf::from(root)),
                None => {
                    skip("no Dovecot 2.4 (DOVECOT_2_4_ROOT is not set)");
                    return None;
                }
            },
        };
        let needed = ["sbin/dovecot", "lib/dovecot/imap", "lib/dovecot/pop3"];
        let needed = needed.iter().chain(&["lib/dovecot/lmtp", "bin/doveadm"]);
        let usr = root.as_deref().unwrap_or(Path::new("/")).join("usr");
        if let Some(missing) = needed
            .map(|file| usr.join(file))
            .find(|file| !file.is_file())
        {
            skip(&format!("{} is not installed", missing.display()));
            return None;
        }
        if !rustix::process::geteuid().is_root() {
            skip("only root can start a Dovecot");
            return None;
        }
        let this = Self { version, root };
        // The installed Dovecot has another version.
        let found = this.version_text();
        if found.starts_with(version.series()) {
            return Some(this);
        }
        skip(&format!(
            "the Dovecot here is {found}, not {}",
            version.series()
        ));
        None
    }

    /// Returns the series.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the output of `dovecot --version`.
    #[must_use]
    pub fn version_text(&self) -> String {
        let output = self.command("dovecot").arg("--version").output();
        let output = output.expect("dovecot runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Returns whether it accepts mail for submission; if not, [`skip`]s the
    /// calling test.
    #[must_use]
    pub fn submits(&self) -> bool {
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        let here = root.join("usr/lib/dovecot/submission").is_file();
        if !here {
            let series = self.version.series();
            skip(&format!("Dovecot {series} is here without submission"));
        }
        here
    }

    /// Returns the command of one of its programs.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match &self.root {
            None => Command::new(program),
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(program);
                command
            }
        }
    }

    /// Returns the number of an account, from `/etc/passwd` or `/etc/group` of
    /// its root.
    ///
    /// # Panics
    /// Panics if the account does not exist.
    #[must_use]
    pub fn account(&self, file: &str, name: &str) -> u32 {
        let path = self.outside(Path::new(file));
        let mut text = String::new();
        let opened = std::fs::File::open(&path);
        let read = opened.and_then(|mut file| io::Read::read_to_string(&mut file, &mut text));
        read.expect("the accounts");
        let start = format!("{name}:");
        let line = text.lines().find(|line| line.starts_with(&start));
        let number = line.and_then(|line| line.split(':').nth(2)?.parse().ok());
        number.expect("an account of Dovecot")
    }

    /// Returns the path outside of the `chroot`.
    fn outside(&self, path: &Path) -> PathBuf {
        match (&self.root, path.strip_prefix("/")) {
            (Some(root), Ok(path)) => root.join(path),
            _ => path.to_owned(),
        }
    }
}
