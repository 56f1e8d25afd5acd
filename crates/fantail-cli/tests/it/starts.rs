//! What a start of `fantail serve` says, and how it finds its configuration.

use std::{
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    time::Duration,
};

use fantail_testkit::process::{Process, wait_until};
use rustix::process::Signal;

use super::{
    program::{contents, fantail, repository},
    serve::{METRIC, configure},
};

/// The log of a start: the file, how it is read, what `fantail check` would say, and
/// the sockets.
#[test]
fn a_start_and_a_reload_say_what_is_served_and_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let doubtful = "metric slow {\n  filter = event=imap_comand_finished AND duration>1s\n}\n";
    configure(folder.path(), doubtful);
    let config = folder.path().join("fantail.conf").display().to_string();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
    command.args(["serve", "--dovecot", "2.3.19", "--config", &config]);
    let mut process = Process::start_with(&command, |command| {
        command.stdout(Stdio::null()).stderr(log);
    });
    let log = || {
        let text = contents(folder.path().join("log"));
        String::from_utf8(text).unwrap()
    };
    wait_until("it is ready", Duration::from_secs(20), || {
        log().ends_with("is ready\n")
    });
    let said = log();
    let run = folder.path().join("run");
    let sockets = ["stats-writer", "login/stats-writer", "stats-reader"];
    let sockets = sockets.map(|name| run.join(name).display().to_string());
    for part in [
        format!("{config} is read as Dovecot 2.3.19: 1 metric, 0 exporters\n"),
        "= help: did you mean `imap_command_finished`?".to_owned(),
        "`duration` is a number, which `1s` never is".to_owned(),
        format!("listening on {}\n", sockets.join(", ")),
    ] {
        assert!(said.contains(&part), "{part} is not in:\n{said}");
    }
    let reader = &sockets[2];
    let reloaded = fantail(&["reload", "--socket", reader, "--config", &config], b"");
    assert_eq!(reloaded.status, Some(0));
    let doubt = "warning[lint/unknown-event]: Dovecot has no event `imap_comand_finished`";
    assert!(reloaded.err.contains(doubt), "{}", reloaded.err);
    assert_eq!(process.stop().code(), Some(0));
}

/// A signal between the first socket and the main loop once ended the process as if
/// it were killed.
#[test]
fn a_server_that_is_stopped_while_it_starts_removes_its_sockets() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), METRIC);
    let run = folder.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
    command
        .args(["serve", "--config"])
        .arg(folder.path().join("fantail.conf"));
    for _ in 0..5 {
        let mut process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        });
        while UnixStream::connect(run.join("stats-writer")).is_err() {
            assert!(!process.has_ended());
        }
        process.signal(Signal::TERM);
        assert_eq!(process.wait(Duration::from_secs(20)).code(), Some(0));
        for socket in ["stats-writer", "login/stats-writer", "stats-reader"] {
            let left = std::fs::symlink_metadata(run.join(socket));
            assert!(left.is_err(), "{socket} is left");
        }
    }
}

#[test]
fn a_port_that_another_process_has_may_be_dovecots() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), METRIC);
    let config = folder.path().join("fantail.conf").display().to_string();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = fantail(&["serve", "--config", &config, "--http", &address], b"");
    assert_eq!(run.status, Some(1));
    let why = format!(
        "cannot listen on {address}: another process listens there; if it is Dovecot's stats \
         process, remove `inet_listener http` from `service stats`"
    );
    assert!(run.err.contains(&why), "{}", run.err);
}

/// By the environment or the flag, in all commands.
#[test]
fn every_command_finds_the_configuration_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "metric all {\n}\n");
    let config = folder.path().join("fantail.conf").display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        let output = command
            .args(arguments)
            .env("FANTAIL_CONFIG", &config)
            .output();
        let output = output.unwrap();
        [output.stdout, output.stderr].concat()
    };
    let capture = repository().join("testdata/captures/dovecot-2.3.19.tsv");
    let capture = capture.display().to_string();
    for arguments in [
        &["serve"][..],
        &["check"],
        &["config"],
        &["convert", "--to", "2.4"],
        &["replay", &capture],
    ] {
        let said = String::from_utf8(run(arguments)).unwrap();
        let error = format!("{config}:");
        assert!(
            said.contains("metric has no filter") || said.contains(&error),
            "{arguments:?}: {said}"
        );
    }
    for command in ["check", "config", "serve"] {
        let run = fantail(&[command, "--config", &config], b"");
        let said = String::from_utf8(run.out).unwrap() + &run.err;
        assert!(said.contains("metric has no filter"), "{command}: {said}");
    }
    let reader = folder.path().join("run/stats-reader").display().to_string();
    for arguments in [&["stats", "dump"][..], &["tap", "event=*"], &["reload"]] {
        let said = String::from_utf8(run(arguments)).unwrap();
        assert!(said.contains(&reader), "{arguments:?}: {said}");
    }
}
