//! Rereads files while the server runs, so that a new token or certificate needs no
//! restart.

use std::{
    fs::OpenOptions,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use fantail_transport::internal::open_regular_or_link;
use tokio::time::sleep;

use super::error::HttpError;
use crate::{
    Log,
    process::file_watch::{FileWatch, LOOK_INTERVAL, REPORT_INTERVAL},
    process::thread,
};

/// The bytes of files, in the order of their paths.
type Contents = Vec<Vec<u8>>;

/// Reads files.
type Read = fn(&[PathBuf]) -> Result<Contents, HttpError>;

/// Parses the contents of files; their paths are for error messages.
type Parse<T> = fn(&[PathBuf], &[Vec<u8>]) -> Result<T, HttpError>;

/// A value that is parsed from files. If the files become invalid, the last valid
/// value stays in force.
pub(super) struct Reread<T> {
    files: Vec<PathBuf>,
    read: Read,
    parse: Parse<T>,
    in_force: RwLock<Arc<T>>,
    /// The contents from the last read, or the error that was logged.
    seen: Mutex<Result<Contents, String>>,
}

/// Omits the contents, which are secret.
impl<T> std::fmt::Debug for Reread<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reread").field(&self.files).finish()
    }
}

impl<T> Reread<T> {
    /// Reads the files for the first time.
    pub(super) fn new(files: Vec<PathBuf>, read: Read, parse: Parse<T>) -> Result<Self, HttpError> {
        let contents = read(&files)?;
        let first = parse(&files, &contents)?;
        Ok(Self {
            files,
            read,
            parse,
            in_force: RwLock::new(Arc::new(first)),
            seen: Mutex::new(Ok(contents)),
        })
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns the value in force.
    pub(super) fn get(&self) -> Arc<T> {
        let in_force = self.in_force.read();
        Arc::clone(&in_force.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again. Logs an error once and keeps the value in force.
    pub(super) fn again(&self, log: &Log) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let read = (self.read)(&self.files).map_err(|error| error.to_string());
        if read == *seen {
            return;
        }
        let parsed = match &read {
            Err(message) => Err(message.clone()),
            Ok(contents) => (self.parse)(&self.files, contents).map_err(|error| error.to_string()),
        };
        match parsed {
            Ok(new) => {
                let mut in_force = self
                    .in_force
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *in_force = Arc::new(new);
            }
            Err(message) => log.say(format_args!(
                "{message}; the one read before stays in force"
            )),
        }
        *seen = read;
    }
}

/// Reads a regular file of at most `max_bytes`.
pub(super) fn read_file(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_regular_or_link(OpenOptions::new().read(true), path)?;
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let what = format!("the file has more than {max_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(bytes)
}

/// Rereads files when they change, each time on a new thread, because a file system
/// may not answer.
pub(super) async fn keep_reading(
    files: Vec<PathBuf>,
    again: impl Fn() + Clone + Send + 'static,
    log: Log,
) {
    let folders = files.iter().filter_map(|file| file.parent());
    let folders: Vec<PathBuf> = folders.map(Path::to_owned).collect();
    let watched: Arc<[PathBuf]> = [files, folders].concat().into();
    let mut reports = FileWatch::new();
    loop {
        let (watched, again) = (Arc::clone(&watched), again.clone());
        let look = move || {
            reports.watch(watched.iter().map(PathBuf::as_path));
            again();
            reports
        };
        reports = match thread::run("http-files", look).await {
            Ok(reports) => reports,
            Err(error) => {
                log.say(format_args!(
                    "the token and the certificate of HTTP are not read again: {error}"
                ));
                FileWatch::new()
            }
        };
        reports.changed(LOOK_INTERVAL).await;
        // A new file is reported before it is written.
        sleep(REPORT_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::PathBuf,
        sync::{Arc, Mutex},
    };

    use super::{Reread, read_file};
    use crate::{
        Log,
        http::error::{HttpError, HttpErrorKind},
    };

    fn read(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, HttpError> {
        let read = files.iter().map(|path| {
            read_file(path, 10)
                .map_err(|error| HttpError::because(HttpErrorKind::Token, path, error))
        });
        read.collect()
    }

    fn parse(files: &[PathBuf], contents: &[Vec<u8>]) -> Result<String, HttpError> {
        String::from_utf8(contents[0].clone())
            .map_err(|error| HttpError::because(HttpErrorKind::Token, &files[0], error))
    }

    #[test]
    fn what_was_right_stays_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        let write = |bytes: &[u8]| fs::write(&path, bytes).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = {
            let lines = Arc::clone(&lines);
            Log::new(move |line| lines.lock().unwrap().push(line.to_owned()))
        };
        write(b"one");
        let file = Reread::new(vec![path.clone()], read, parse).unwrap();
        // Checks the contents and the number of log lines after two more reads.
        let check = |expected: &str, logged: usize| {
            file.again(&log);
            file.again(&log);
            assert_eq!(*file.get(), expected);
            let lines = lines.lock().unwrap();
            assert_eq!(lines.len(), logged, "{lines:?}");
            let named = lines.iter().all(|line| line.contains("/token"));
            assert!(named, "{lines:?}");
        };
        check("one", 0);
        write(b"two");
        check("two", 0);
        write(b"\xff");
        check("two", 1);
        write(b"more than ten bytes");
        check("two", 2);
        fs::remove_file(&path).unwrap();
        check("two", 3);
        write(b"three");
        check("three", 3);
    }
}
