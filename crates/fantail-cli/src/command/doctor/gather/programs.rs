//! External programs, run with a time limit.

use std::{
    env,
    ffi::OsStr,
    io::{self, Read as _},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::PATIENCE;

/// Folders of Dovecot's programs that `PATH` often lacks.
const FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The interval of checks whether a program has ended.
const POLL: Duration = Duration::from_millis(5);

/// The maximum size of an output; the rest is not read.
const MAX_OUTPUT_BYTES: u64 = 16 << 20;

/// The exit status and the output of a program.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) out: String,
    pub(super) err: String,
}

/// Returns the path of a program.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Runs a program until it ends, and kills it after the time limit.
pub(super) fn run<A: AsRef<OsStr>>(name: &str, arguments: &[A]) -> io::Result<Said> {
    let path = find(name).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let mut child = Command::new(path)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let streams = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = streams else {
        return Err(io::Error::other("no streams"));
    };
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
        bytes
    });
    let errors = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
        bytes
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        thread::sleep(POLL);
    };
    let text = |thread: thread::JoinHandle<Vec<u8>>| {
        let bytes = thread.join().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Said {
        status,
        out: text(reader),
        err: text(errors),
    })
}
