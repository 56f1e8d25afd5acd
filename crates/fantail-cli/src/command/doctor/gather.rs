//! Collects the facts about an installation without changing it.
//!
//! Each module queries one source with a time limit, and records the sources that it
//! could not read in `Gathered`.

mod agents;
mod connect;
mod counts;
mod dovecot;
mod files;
mod http;
mod logs;
mod peers;
mod process;
mod programs;
mod server;
mod sockets;
mod units;

use std::{
    ffi::OsStr,
    fmt::Display,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use fantail::{
    config::{self, FileSystem, LoadOptions, Loaded},
    lint::Facts,
};

pub(super) use self::process::Processes;

/// The time limit for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The socket folder of Dovecot's packages, the default of `base_dir`.
const BASE_DIR: &str = "/run/dovecot";

/// The files to read, from the command line.
#[derive(Debug)]
pub(super) struct Questions {
    /// The path of the configuration.
    pub(super) config: PathBuf,
    /// Additional log files.
    pub(super) logs: Vec<PathBuf>,
    /// The path of Postfix's `master.cf`.
    pub(super) master_cf: Option<PathBuf>,
    /// The file with the token for the HTTP API.
    pub(super) token: Option<PathBuf>,
}

/// The facts about an installation.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) loaded: Loaded,
    pub(super) config: PathBuf,
    pub(super) base_dir: PathBuf,
    /// The path of the `stats-reader` socket.
    pub(super) reader: PathBuf,
    /// The process ID of Dovecot's master process.
    pub(super) master: Option<u32>,
    pub(super) unseen: Vec<Unseen>,
}

/// A source that could not be read, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unseen {
    pub(super) what: String,
    pub(super) why: String,
}

impl Gathered {
    fn unseen(&mut self, what: impl Into<String>, why: impl Display) {
        self.unseen.push(Unseen {
            what: what.into(),
            why: format!("{why}"),
        });
    }
}

/// Collects all facts.
pub(super) fn gather(questions: &Questions) -> Gathered {
    let release = dovecot::release();
    let options = LoadOptions {
        // `dovecot_config_version` usually names an older release than the installed one.
        release,
        ..LoadOptions::default()
    };
    let path = &questions.config;
    let mut loaded = config::load(path.as_os_str().as_bytes(), &FileSystem, &options);
    if release.is_some() && loaded.diagnostics.has_errors() {
        // The configuration may be written for another series than the installed release.
        let read = config::load(
            path.as_os_str().as_bytes(),
            &FileSystem,
            &LoadOptions::default(),
        );
        if !read.diagnostics.has_errors() {
            loaded = read;
        }
    }
    let base_dir = loaded.settings.base_dir.as_ref();
    let base_dir = base_dir.map_or(Path::new(BASE_DIR), |dir| {
        Path::new(OsStr::from_bytes(&dir.value))
    });
    let base_dir = base_dir.to_owned();
    let mut gathered = Gathered {
        facts: Facts::default(),
        loaded,
        config: path.clone(),
        reader: base_dir.join("stats-reader"),
        base_dir,
        master: None,
        unseen: Vec::new(),
    };
    gathered.facts.dovecot.release = release;
    if release.is_none() {
        gathered.unseen("the release of Dovecot", "`dovecot --version` does not run");
    }
    let processes = Processes::read();
    dovecot::gather(&mut gathered, &processes);
    let serve = sockets::gather(&mut gathered, &processes);
    counts::gather(&mut gathered);
    server::gather(&mut gathered, &processes, serve, questions);
    agents::gather(&mut gathered, questions.master_cf.as_deref());
    logs::gather(&mut gathered, &questions.logs);
    units::gather(&mut gathered);
    gathered
}
