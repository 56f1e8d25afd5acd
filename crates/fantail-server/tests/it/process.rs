//! What a server does as a process: its user, and threads that it does not get.
//!
//! These tests run in a child: the test's own program with one test and `ROLE`
//! set.

use std::{
    env, fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::Command,
    thread,
};

use fantail_server::RecordSettings;
use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{Uid, User},
};

use crate::fixture::{ALL, Fixture, event};

const ROLE: &str = "FANTAIL_SERVER_TEST_CHILD";

/// Runs a test in a child with a folder that every user may write to. Returns the
/// folder in the child, and `None` in the parent.
fn in_child(test: &str) -> Option<PathBuf> {
    if let Some(folder) = env::var_os(ROLE) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    let output = child.env(ROLE, folder.path()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
    None
}

/// A file of root in a folder of another user could replace any file.
#[test]
fn a_recording_is_created_as_the_user_of_the_server() {
    if !Uid::effective().is_root() {
        fantail_testkit::skip("only root becomes another user");
        return;
    }
    let Some(user) = User::from_name("nobody").unwrap() else {
        fantail_testkit::skip("no user is called nobody");
        return;
    };
    let test = "process::a_recording_is_created_as_the_user_of_the_server";
    let Some(folder) = in_child(test) else {
        return;
    };
    let path = folder.join("recording");
    let _fixture = Fixture::with(ALL, |options| {
        options.user = Some(user.name.clone());
        options.record = Some(RecordSettings {
            path: path.clone(),
            limit: 1 << 20,
            duration: None,
        });
    });
    assert_eq!(fs::metadata(path).unwrap().uid(), user.uid.as_raw());
}

/// Bytes of address space that this process has.
fn address_space() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "the kernel's text")]
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    pages * 4096
}

/// Without a thread for it, a reload once ended the server.
#[test]
fn a_reload_without_a_thread_is_refused() {
    let Some(_) = in_child("process::a_reload_without_a_thread_is_refused") else {
        return;
    };
    let fixture = Fixture::new(ALL);
    fixture.send(&event("a", 1));
    let mut reader = fixture.reader();
    let (_, most) = getrlimit(Resource::RLIMIT_AS).unwrap();
    // Less than the stack of a thread, which has 2 MiB.
    setrlimit(Resource::RLIMIT_AS, address_space() + (1 << 20), most).unwrap();
    // Stacks of ended threads are used again.
    let mut parked = Vec::new();
    while let Ok(thread) = thread::Builder::new().spawn(thread::park) {
        parked.push(thread);
    }
    let answer = reader.ask("FANTAIL-RELOAD").unwrap();
    let dump = reader.dump("DUMP\tcount");
    setrlimit(Resource::RLIMIT_AS, most, most).unwrap();
    assert!(answer.starts_with('-'), "{answer}");
    assert!(answer.contains("the system starts no thread"), "{answer}");
    assert_eq!(dump, Vec::<String>::new(), "an answer needs a thread, too");
    assert_eq!(fixture.reader().ask("FANTAIL-RELOAD").unwrap(), "+");
    assert_eq!(fixture.count(), 1);
    for thread in parked {
        thread.thread().unpark();
        thread.join().unwrap();
    }
}
