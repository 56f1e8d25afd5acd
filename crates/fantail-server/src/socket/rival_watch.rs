//! Watches the configuration while the server runs: as soon as Dovecot would bind
//! sockets of the server, they are left to it.
//!
//! Dovecot does not start while another process has one of its sockets. So the
//! sockets have to be free before Dovecot is restarted, not at the next reload.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use fantail_config::{FileSystem, Loaded};
use tokio::sync::watch;

use crate::{
    Log,
    control::Source,
    process::file_watch::{FileWatch, LOOK_INTERVAL, REPORT_INTERVAL},
    process::thread,
    socket::addresses::Addresses,
    socket::rivals::{self, RivalError},
};

/// What Dovecot would bind, too; `None`: nothing.
pub(crate) type Rivals = Option<RivalError>;

/// Watches the configuration until the receiver is gone.
///
/// Each look is on a thread of its own: a file system may not answer.
pub(crate) fn watch(source: Source, addresses: Addresses, log: Log) -> watch::Receiver<Rivals> {
    let (found, rivals) = watch::channel(None);
    tokio::spawn(async move {
        let mut watched = Watched::new(&source, &addresses);
        loop {
            let look = move || {
                let now = watched.changed();
                (watched, now)
            };
            let now;
            (watched, now) = match thread::run("configuration", look).await {
                Ok(looked) => looked,
                Err(error) => {
                    log.say(format_args!("cannot look at the configuration: {error}"));
                    (Watched::new(&source, &addresses), None)
                }
            };
            if let Some(now) = now {
                found.send_if_modified(|before| {
                    let is_new = *before != now;
                    *before = now;
                    is_new
                });
            }
            let longest = match watched.state.is_empty() {
                true => REPORT_INTERVAL,
                false => LOOK_INTERVAL,
            };
            tokio::select! {
                () = watched.reports.changed(longest) => {}
                () = found.closed() => return,
            }
        }
    });
    rivals
}

/// A configuration, and its files as they were before it was read; empty before the
/// first time: the configuration may have changed since the server read it.
struct Watched {
    source: Source,
    addresses: Addresses,
    files: Vec<PathBuf>,
    state: Vec<FileState>,
    reports: FileWatch,
}

/// Device, inode, size and times of a file; `None` if there is none.
type FileState = Option<(u64, u64, u64, [i64; 4])>;

impl Watched {
    fn new(source: &Source, addresses: &Addresses) -> Self {
        Self {
            source: source.clone(),
            addresses: addresses.clone(),
            files: vec![source.path.clone()],
            state: Vec::new(),
            reports: FileWatch::new(),
        }
    }

    /// Reads the configuration if a file has changed, or for the first time. `None` if
    /// none has, or if the configuration has errors, as it may while it is edited.
    fn changed(&mut self) -> Option<Rivals> {
        self.reports.watch(self.files.iter().map(PathBuf::as_path));
        let now = states(&self.files);
        if now == self.state {
            return None;
        }
        let loaded = load(&self.source);
        let before = std::mem::replace(&mut self.files, files(&loaded));
        // Of new files it is not known whether they changed since: read once more.
        self.state = match before == self.files {
            true => now,
            false => Vec::new(),
        };
        let is_whole = !loaded.diagnostics.has_errors();
        is_whole.then(|| rivals::check(&self.addresses, &loaded.settings).err())
    }
}

fn load(source: &Source) -> Loaded {
    let path = source.path.as_os_str().as_bytes();
    fantail_config::load(path, &FileSystem, &source.options())
}

/// The files of a configuration, and the folders that patterns may find others in.
fn files(loaded: &Loaded) -> Vec<PathBuf> {
    let names = loaded.sources.ids().map(|id| loaded.sources.name(id));
    let files = names.map(|name| PathBuf::from(OsStr::from_bytes(name)));
    let mut files: Vec<PathBuf> = files.collect();
    let folders = files.iter().filter_map(|file| file.parent());
    let mut folders: Vec<PathBuf> = folders.map(Path::to_owned).collect();
    files.append(&mut folders);
    files.sort();
    files.dedup();
    files
}

fn states(files: &[PathBuf]) -> Vec<FileState> {
    let state = |file: &PathBuf| {
        let it = fs::metadata(file).ok()?;
        let times = [it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()];
        Some((it.dev(), it.ino(), it.size(), times))
    };
    files.iter().map(state).collect()
}
