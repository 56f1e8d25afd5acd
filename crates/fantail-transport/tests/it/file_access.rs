//! Owner, group and permissions of files.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use fantail_transport::{FileAccess, FileSettings, FileTransport, Rotation};
use rustix::{
    fs::Mode,
    process::{geteuid, umask},
    thread::{CapabilitySet, capabilities, set_capabilities},
};

use crate::send;

/// Numbers that no account has.
const USER: u32 = 54_321;
const GROUP: u32 = 54_322;

fn settings(path: &Path, access: FileAccess) -> FileSettings {
    FileSettings {
        access,
        rotation: Rotation {
            bytes: Some(4),
            age: None,
            keep: 1,
        },
        ..FileSettings::new(path)
    }
}

fn given(user: u32, group: u32, mode: u32) -> FileAccess {
    FileAccess {
        user: Some(user.to_string()),
        group: Some(group.to_string()),
        mode,
    }
}

/// User, group and mode of a file.
fn owner(path: &Path) -> (u32, u32, u32) {
    let found = fs::metadata(path).unwrap();
    (
        found.uid(),
        found.gid(),
        found.permissions().mode() & 0o7777,
    )
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn new_and_rotated_files_have_the_configured_owner() {
    if !geteuid().is_root() {
        fantail_testkit::skip("only root may change the owner of a file");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let settings = settings(&path, given(USER, GROUP, 0o640));
    let mut file = FileTransport::with_settings(settings).unwrap();
    assert_eq!(owner(&path), (USER, GROUP, 0o640));
    send(&mut file, &["one"]);
    send(&mut file, &["two"]);
    assert_eq!(names(folder.path()), ["events", "events.1"]);
    assert_eq!(owner(&path), (USER, GROUP, 0o640));
    assert_eq!(owner(&path.with_extension("1")), (USER, GROUP, 0o640));
    // Another program rotates it.
    fs::remove_file(&path).unwrap();
    fantail_transport::Transport::reopen(&mut file).unwrap();
    assert_eq!(owner(&path), (USER, GROUP, 0o640));
}

#[test]
fn an_existing_file_keeps_its_owner_and_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    fs::File::create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    let before = owner(&path);
    let access = given(USER, GROUP, 0o640);
    FileTransport::with_settings(settings(&path, access)).unwrap();
    assert_eq!(owner(&path), before);
}

#[test]
fn permissions_do_not_depend_on_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let access = FileAccess {
        mode: 0o664,
        ..FileAccess::default()
    };
    let before = umask(Mode::from_raw_mode(0o077));
    let opened = FileTransport::with_settings(settings(&path, access));
    umask(before);
    opened.unwrap();
    assert_eq!(owner(&path).2, 0o664);
}

/// Fails to open a file, which is not left behind; returns the error.
fn refusal(access: FileAccess) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let error = FileTransport::with_settings(settings(&path, access)).unwrap_err();
    assert!(names(folder.path()).is_empty());
    error.to_string().replace(path.to_str().unwrap(), "PATH")
}

#[test]
fn unknown_accounts_are_told() {
    let named = |user: Option<&str>, group: Option<&str>| FileAccess {
        user: user.map(str::to_owned),
        group: group.map(str::to_owned),
        ..FileAccess::default()
    };
    assert_eq!(
        refusal(named(Some("no-such"), None)),
        "cannot open PATH: the system has no user `no-such`: create it, or change `file_user`"
    );
    assert_eq!(
        refusal(named(None, Some("no-such"))),
        "cannot open PATH: the system has no group `no-such`: create it, or change `file_group`"
    );
}

/// Gives up the right to change owners, which belongs to a thread.
fn without_chown<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let run = || {
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::CHOWN);
        sets.permitted.remove(CapabilitySet::CHOWN);
        set_capabilities(None, sets).unwrap();
        run()
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[test]
fn an_owner_that_the_process_may_not_give_is_told() {
    let error = without_chown(|| refusal(given(USER, GROUP, 0o640)));
    assert_eq!(
        error,
        "cannot open PATH: cannot give it to the user `54321` and the group `54322`: \
         Operation not permitted (os error 1): `file_user` needs CAP_CHOWN, `file_group` \
         needs that or a group that the process is in"
    );
}

#[test]
fn a_rotation_without_the_right_to_the_owner_keeps_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    for keep in [0, 1] {
        fs::write(&path, "one\n").unwrap();
        let mut settings = settings(&path, given(USER, GROUP, 0o640));
        settings.rotation.keep = keep;
        without_chown(|| {
            let mut file = FileTransport::with_settings(settings).unwrap();
            send(&mut file, &["two"]);
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(names(folder.path()), ["events"]);
    }
}
