//! Gathers the facts about an installation, without changing anything.
//!
//! Each part asks one thing, with a time limit, and names what it could not see.

mod agents;
mod connect;
mod counts;
mod dovecot;
mod files;
mod http;
mod logs;
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

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where Dovecot's packages keep its sockets.
const BASE_DIR: &str = "/run/dovecot";

/// What to look at.
#[derive(Debug)]
pub(super) struct Questions {
    /// The configuration.
    pub(super) config: PathBuf,
    /// Further logs.
    pub(super) logs: Vec<PathBuf>,
    /// The services of Postfix.
    pub(super) master_cf: Option<PathBuf>,
    /// The file of the token for HTTP.
    pub(super) token: Option<PathBuf>,
}

/// What was gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) loaded: Loaded,
    pub(super) config: PathBuf,
    pub(super) base_dir: PathBuf,
    /// The `stats-reader` socket.
    pub(super) reader: PathBuf,
    /// The number of Dovecot's master process.
    pub(super) master: Option<u32>,
    pub(super) unseen: Vec<Unseen>,
}

/// Something that could not be seen.
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

/// Gathers all facts.
pub(super) fn gather(questions: &Questions) -> Gathered {
    let release = dovecot::release();
    let options = LoadOptions {
        // What the configuration states is older, as a rule.
        release,
        ..LoadOptions::default()
    };
    let path = &questions.config;
    let mut loaded = config::load(path.as_os_str().as_bytes(), &FileSystem, &options);
    if release.is_some() && loaded.diagnostics.has_errors() {
        // The configuration may be for the other series.
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
