//! Watches the configuration while the server runs: as soon as Dovecot would bind
//! sockets of the server, they are left to it.
//!
//! Dovecot does not start while another process has one of its sockets. So the
//! sockets have to be free before Dovecot is restarted, not at the next reload.

use tokio::sync::watch;

use crate::{
    Log,
    control::Source,
    process::file_watch::{FileWatch, LOOK_INTERVAL, REPORT_INTERVAL},
    process::seen_files::SeenFiles,
    process::thread,
    socket::addresses::Addresses,
    socket::rivals::{self, RivalError},
};

/// What Dovecot would bind, too; `None`: nothing.
pub(crate) type Rivals = Option<RivalError>;

/// Watches a configuration with these files until the receiver is gone.
///
/// Each look is on a thread of its own: a file system may not answer.
pub(crate) fn watch(
    source: Source,
    seen: SeenFiles,
    addresses: Addresses,
    log: Log,
) -> watch::Receiver<Rivals> {
    let (found, rivals) = watch::channel(None);
    tokio::spawn(async move {
        let mut watched = Watched::new(&source, &addresses, seen);
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
                    let seen = SeenFiles::unread(&source.path);
                    (Watched::new(&source, &addresses, seen), None)
                }
            };
            if let Some(now) = now {
                found.send_if_modified(|before| {
                    let is_new = *before != now;
                    *before = now;
                    is_new
                });
            }
            let longest = match watched.has_new {
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

/// A configuration, and its files as they were when it was read.
struct Watched {
    source: Source,
    addresses: Addresses,
    seen: SeenFiles,
    reports: FileWatch,
    /// Whether there are files whose changes are not reported yet.
    has_new: bool,
}

impl Watched {
    fn new(source: &Source, addresses: &Addresses, seen: SeenFiles) -> Self {
        Self {
            source: source.clone(),
            addresses: addresses.clone(),
            seen,
            reports: FileWatch::new(),
            has_new: false,
        }
    }

    /// Reads the configuration if a file has changed. `None` if none has, or if the
    /// configuration has errors, as it may while it is edited.
    fn changed(&mut self) -> Option<Rivals> {
        self.reports.watch(self.seen.paths());
        self.has_new = false;
        if !self.seen.have_changed() {
            return None;
        }
        let (settings, seen) = self.source.read().into_whole();
        self.has_new = !seen.paths().eq(self.seen.paths());
        self.seen = seen;
        settings.map(|settings| rivals::check(&self.addresses, &settings).err())
    }
}
