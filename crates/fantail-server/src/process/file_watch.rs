//! Changes of files and folders, which the kernel reports (inotify).
//!
//! A folder that other machines change is not reported, and the system limits the
//! number of watches. So a caller looks at its files after a long time, too.

use std::{
    collections::HashSet,
    future::{pending, poll_fn},
    io::{self, ErrorKind},
    path::Path,
    pin::Pin,
    task::Poll,
    time::Duration,
};

use futures_core::Stream as _;
use inotify::{EventMask, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Bytes of events that are read at once.
const EVENT_BYTES: usize = 4096;

/// How often files are looked at that the kernel may not report.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// How often files are looked at that the kernel does not report.
const UNWATCHED_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between two reports: a change of many files is reported once
/// or twice.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Files and folders whose changes are reported.
#[derive(Debug)]
pub(crate) struct FileWatch {
    /// `None` if the system has none left.
    events: Option<EventStream<Vec<u8>>>,
    watched: HashSet<WatchDescriptor>,
    /// Whether all files and folders are watched.
    is_complete: bool,
    /// The time of the last report.
    reported: Instant,
}

impl FileWatch {
    /// Watches nothing yet; called in a runtime.
    pub(crate) fn new() -> Self {
        let events = Inotify::init();
        let events = events.and_then(|it| it.into_event_stream(vec![0; EVENT_BYTES]));
        Self {
            is_complete: events.is_ok(),
            events: events.ok(),
            watched: HashSet::new(),
            reported: Instant::now(),
        }
    }

    /// Watches these files and the entries of these folders, and no others. Of a path
    /// that does not exist, it watches the nearest folder that does.
    ///
    /// Returns whether one of them was not watched before: it may have changed.
    pub(crate) fn watch<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) -> bool {
        let Some(mut watches) = self.events.as_ref().map(EventStream::watches) else {
            return false;
        };
        let mut watched = HashSet::new();
        self.is_complete = true;
        for path in paths {
            match add(&mut watches, path) {
                Ok(watch) => {
                    watched.insert(watch);
                }
                Err(_) => self.is_complete = false,
            }
        }
        for gone in self.watched.difference(&watched) {
            // The kernel has removed those of deleted files.
            let _ = watches.remove(gone.clone());
        }
        let has_new = !watched.is_subset(&self.watched);
        self.watched = watched;
        has_new
    }

    /// Waits for a change, at most until `longest` after the last report.
    pub(crate) async fn changed(&mut self, longest: Duration) {
        let longest = match self.is_complete {
            true => longest,
            false => longest.min(UNWATCHED_INTERVAL),
        };
        sleep_until(self.reported + REPORT_INTERVAL).await;
        let _ = timeout_at(self.reported + longest, self.event()).await;
        self.reported = Instant::now();
    }

    /// Waits for events of the kernel, and takes them.
    async fn event(&mut self) {
        let Some(events) = &mut self.events else {
            return pending().await;
        };
        let mut is_changed = false;
        poll_fn(|context| {
            while let Poll::Ready(next) = Pin::new(&mut *events).poll_next(context) {
                let Some(Ok(event)) = next else {
                    // The caller looks at its files at an interval.
                    return Poll::Pending;
                };
                // The end of a watch is no change.
                is_changed |= event.mask != EventMask::IGNORED;
            }
            match is_changed {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

/// Watches a path, or the nearest folder above it that exists.
fn add(watches: &mut Watches, path: &Path) -> io::Result<WatchDescriptor> {
    let changes = WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::DELETE_SELF
        | WatchMask::MOVE
        | WatchMask::MOVE_SELF
        | WatchMask::CLOSE_WRITE
        | WatchMask::ATTRIB;
    let mut above = path.ancestors();
    loop {
        let path = match above.next() {
            // A relative path ends in the current folder.
            Some(path) if path.as_os_str().is_empty() => Path::new("."),
            Some(path) => path,
            None => return Err(ErrorKind::NotFound.into()),
        };
        match watches.add(path, changes) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            added => return added,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
        path::PathBuf,
    };

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// Longer than any test waits.
    const LONG: Duration = Duration::from_secs(3_600);

    fn runtime() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    }

    fn create(path: PathBuf) {
        File::create(path).unwrap();
    }

    #[test]
    fn each_way_to_change_a_file_is_reported() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| folder.path().join(name);
        let target = elsewhere.path().join("target");
        let runtime = runtime();
        let _entered = runtime.enter();
        let mut watch = FileWatch::new();
        // Returns when the change is reported.
        let check = |watch: &mut FileWatch, change: &dyn Fn()| {
            change();
            runtime.block_on(watch.changed(LONG));
        };
        fs::create_dir(at("folder")).unwrap();
        create(at("file"));
        create(target.clone());
        symlink(&target, at("link")).unwrap();
        let paths = ["folder", "file", "link", "missing/deeper/file"].map(at);
        let paths = || paths.iter().map(PathBuf::as_path);
        assert!(watch.watch(paths()) && !watch.watch(paths()));
        check(&mut watch, &|| create(at("folder/new")));
        check(&mut watch, &|| fs::remove_file(at("folder/new")).unwrap());
        check(&mut watch, &|| create(at("file")));
        check(&mut watch, &|| create(target.clone()));
        check(&mut watch, &|| {
            fs::create_dir_all(at("missing/deeper")).unwrap();
        });
        assert!(watch.watch(paths()), "the new folder is watched");
        check(&mut watch, &|| create(at("missing/deeper/file")));
        check(&mut watch, &|| {
            fs::rename(at("folder"), at("renamed")).unwrap();
        });
        assert!(watch.watch(paths()), "the folder above is watched");
        check(&mut watch, &|| fs::create_dir(at("folder")).unwrap());
        assert!(watch.watch(paths()), "the new folder is watched");
        check(&mut watch, &|| create(at("folder/new")));
        assert!(!watch.watch(paths()));
    }

    #[test]
    fn without_a_report_files_are_looked_at() {
        let runtime = runtime();
        let _entered = runtime.enter();
        let mut watch = FileWatch::new();
        runtime.block_on(watch.changed(Duration::ZERO));
        watch.events = None;
        watch.is_complete = false;
        assert!(!watch.watch([Path::new("/")]));
        runtime.block_on(watch.changed(LONG));
    }
}
