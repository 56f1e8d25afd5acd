//! The Dovecots that fantail is compared with.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use crate::error::Error;

/// A release of Dovecot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// 2.3.19, installed on this machine.
    #[value(name = "2.3")]
    V2_3,
    /// 2.4.1, in the root folder of `DOVECOT_2_4_ROOT`.
    #[value(name = "2.4.1", alias = "2.4")]
    V2_4_1,
    /// 2.4.5, in the root folder of `DOVECOT_NEWEST_ROOT`.
    #[value(name = "2.4.5")]
    V2_4_5,
}

impl Version {
    /// Returns whether it is of the series 2.3.
    pub(super) const fn is_2_3(self) -> bool {
        matches!(self, Self::V2_3)
    }

    /// Returns the value of `--dialect`.
    pub(super) const fn series(self) -> &'static str {
        match self {
            Self::V2_3 => "2.3",
            Self::V2_4_1 | Self::V2_4_5 => "2.4",
        }
    }

    /// Returns the value of `--dovecot`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V2_3 => "2.3",
            Self::V2_4_1 => "2.4.1",
            Self::V2_4_5 => "2.4.5",
        }
    }
}

/// A Dovecot that can be run, and a folder of its own there.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) version: Version,
    root: PathBuf,
    /// The folder as programs of the root see it.
    folder: PathBuf,
}

impl Installation {
    /// Finds a release, and makes the folder.
    pub(super) fn find(version: Version) -> Result<Self, Error> {
        let of_variable = |name: &str, default: &str| {
            env::var_os(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
        };
        let root = match version {
            Version::V2_3 => PathBuf::from("/"),
            Version::V2_4_1 => of_variable("DOVECOT_2_4_ROOT", "/var/tmp/dovecot-2.4"),
            Version::V2_4_5 => of_variable("DOVECOT_NEWEST_ROOT", "/var/tmp/dovecot-2.4.5"),
        };
        let folder = env::temp_dir().join(format!("fantail-diff-{}", std::process::id()));
        let this = Self {
            version,
            root,
            folder,
        };
        let output = this.command(Path::new("dovecot")).arg("--version").output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        if !said.is_ok_and(|said| said.starts_with(version.name())) {
            let root = this.root.display();
            return Err(Error::new(format!(
                "no Dovecot {} that can be run in {root}",
                version.name()
            )));
        }
        let outside = this.outside("");
        fs::create_dir_all(&outside).map_err(Error::at("make", &outside))?;
        Ok(this)
    }

    /// Returns a path in the folder, as programs of the root see it.
    pub(super) fn inside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns a path in the folder, as other programs see it.
    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.in_root(&self.inside(name))
    }

    /// Returns a path of the root as other programs see it.
    pub(super) fn in_root(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Returns the command of a program of the root.
    pub(super) fn command(&self, program: &Path) -> Command {
        if self.version.is_2_3() {
            return Command::new(program);
        }
        let mut command = Command::new("chroot");
        command.arg(&self.root).arg(program);
        command
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.outside(""));
    }
}
