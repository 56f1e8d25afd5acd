//! A running `fantail serve`, and a Dovecot whose configuration changes.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fantail_testkit::process::{Process, wait_until};
use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::Errno,
};

use super::program::contents;

const PATIENCE: Duration = Duration::from_secs(20);

/// The sockets that Dovecot binds unless it is told not to.
const SOCKETS: [&str; 3] = ["stats-writer", "login/stats-writer", "stats-reader"];

/// Writes a file as an editor does: beside it first.
fn write(folder: &Path, name: &str, text: &str) {
    let beside = folder.join("beside");
    let mut file = fs::File::create(&beside).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::rename(&beside, folder.join(name)).unwrap();
}

/// The `dovecot.conf`; Dovecot binds `bound` and leaves the other sockets alone.
fn dovecot_conf(folder: &Path, bound: &[&str]) -> String {
    let left = SOCKETS.iter().filter(|name| !bound.contains(name));
    let left: String = left
        .map(|name| format!("  unix_listener {name} {{\n    mode = 0\n  }}\n"))
        .collect();
    let base = folder.join("run");
    format!(
        "base_dir = {}\nservice stats {{\n{left}}}\n",
        base.display()
    )
}

/// Whether fantail answers on a socket.
fn is_served(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let version = b"VERSION\tstats-reader-client\t2\t0\n";
    let mut greeting = [0; 7];
    stream.write_all(version).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && &greeting == b"VERSION"
}

fn serve(folder: &Path) -> Process {
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
    command
        .args(["serve", "--config"])
        .arg(folder.join("fantail.conf"));
    Process::start_with(&command, |command| {
        command.stdout(Stdio::null()).stderr(log);
    })
}

/// Dovecot would not start any more while fantail has its sockets.
#[test]
fn sockets_are_left_to_a_dovecot_that_would_bind_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The log is written by a thread.
    let said = |what: &str| {
        wait_until(what, PATIENCE, || {
            let log = contents(folder.join("log"));
            String::from_utf8_lossy(&log).contains(what)
        });
    };
    let sockets = SOCKETS.map(|name| folder.join("run").join(name));
    write(folder, "fantail.conf", "!include dovecot.conf\n");
    write(folder, "dovecot.conf", &dovecot_conf(folder, &[]));
    let mut process = serve(folder);
    wait_until("all is served", PATIENCE, || {
        sockets.iter().all(|one| is_served(one))
    });

    // An error in the file, as it may have while it is edited, changes nothing.
    write(folder, "dovecot.conf", "service stats {\n");
    write(
        folder,
        "dovecot.conf",
        &dovecot_conf(folder, &["stats-reader"]),
    );
    wait_until("one is left", PATIENCE, || !sockets[2].exists());
    assert!(is_served(&sockets[0]) && is_served(&sockets[1]));

    write(folder, "dovecot.conf", &dovecot_conf(folder, &SOCKETS));
    wait_until("all are left", PATIENCE, || {
        sockets.iter().all(|one| fs::symlink_metadata(one).is_err())
    });
    said("sockets are left to Dovecot");
    said("    unix_listener login/stats-writer {\n      mode = 0\n    }\n");

    // Dovecot's own stats process, which ends at the restart after the block is back.
    let dovecots = UnixListener::bind(&sockets[0]).unwrap();
    write(folder, "dovecot.conf", &dovecot_conf(folder, &[]));
    wait_until("the others are back", PATIENCE, || {
        sockets[1..].iter().all(|one| is_served(one))
    });
    said("they are served again");
    said("another process answers there; if it is Dovecot's stats process");
    drop(dovecots);
    wait_until("the last is back", PATIENCE, || is_served(&sockets[0]));
    assert_eq!(process.stop().code(), Some(0));
}

/// Reading thousands of metrics takes a while.
#[test]
fn the_configuration_is_read_once_at_the_start_and_once_after_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // A new file in the folder of the configuration is a reason to read it again.
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = elsewhere.path();
    write(folder, "fantail.conf", "!include dovecot.conf\n");
    write(folder, "dovecot.conf", &dovecot_conf(elsewhere, &[]));
    let opened = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
    let file = folder.join("fantail.conf");
    inotify::add_watch(&opened, file, WatchFlags::OPEN | WatchFlags::CLOSE_NOWRITE).unwrap();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut opened = Reader::new(&opened, &mut buffer);
    let mut count = || -> u32 {
        let mut count = 0;
        loop {
            match opened.next() {
                // The kernel reports opens as one if no file is closed between them.
                Ok(event) => count += u32::from(event.events().contains(ReadFlags::OPEN)),
                Err(error) => {
                    assert_eq!(error, Errno::AGAIN);
                    return count;
                }
            }
        }
    };

    let socket = elsewhere.join("run/stats-reader");
    let mut process = serve(folder);
    wait_until("it is served", PATIENCE, || is_served(&socket));
    let changed = dovecot_conf(elsewhere, &["stats-reader"]);
    write(elsewhere, "dovecot.conf", &changed);
    let from = elsewhere.join("dovecot.conf");
    fs::rename(from, folder.join("dovecot.conf")).unwrap();
    wait_until("it is left", PATIENCE, || !socket.exists());
    assert_eq!(count(), 2);
    assert_eq!(process.stop().code(), Some(0));
    assert_eq!(count(), 0);
}
