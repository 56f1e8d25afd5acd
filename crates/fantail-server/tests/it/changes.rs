//! Changes that cannot be carried out: files that do not answer, and filters that
//! end Dovecot's processes.

use std::{path::Path, process::Command, time::Duration};

use fantail_server::{Log, Server, ServerErrorKind, ServerOptions};

use crate::fixture::{ALL, Fixture, event};

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// A pipe without a writer keeps the reload from opening it.
#[test]
fn a_reload_that_does_not_end_holds_up_nothing() {
    let fixture = Fixture::with(ALL, |options| {
        options.limits.reload = Duration::from_millis(300);
    });
    let pipe = fixture.path("pipe");
    make_pipe(&pipe);
    let mut waiting = fixture.reader();
    fixture.configure(&format!("{ALL}!include {}\n", pipe.display()));
    waiting.send("FANTAIL-RELOAD");
    // Answered before the reload is given up, or after: never not at all.
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
    let answer = waiting.line().unwrap();
    assert!(answer.contains("does not answer"), "{answer}");
    // The thread of the first still waits.
    let answer = waiting.ask("FANTAIL-RELOAD").unwrap();
    assert!(answer.contains("does not answer"), "{answer}");
    let mut reader = fixture.reader();
    let added = reader.ask("METRICS-ADD\tmine\t\t\t\tevent=a\t\t");
    assert_eq!(added.unwrap(), "+");
    // Once the pipe has ended, its text is there, and reloads work again.
    drop(std::fs::File::options().write(true).open(&pipe).unwrap());
    fixture.configure(ALL);
    crate::fixture::eventually("reloads work again", || {
        waiting.ask("FANTAIL-RELOAD").unwrap() == "+"
    });
    assert_eq!(fixture.dump("count"), "all\t1\tx\t1\nmine\t0");
}

#[test]
fn a_start_that_cannot_read_its_configuration_ends() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("fantail.conf");
    make_pipe(&pipe);
    let mut options = ServerOptions::new(&pipe, Log::new(|_| {}));
    options.limits.reload = Duration::from_millis(100);
    let error = Server::start(options).unwrap_err();
    assert_eq!(error.kind(), ServerErrorKind::Configuration);
    assert!(error.to_string().contains("does not answer"), "{error}");
}

/// Real Dovecots of 2.3 die of it: the vectors of fantail-filter.
#[test]
fn filters_that_end_dovecots_processes_are_refused() {
    let fixture = Fixture::new(ALL);
    let fatal = "metric fatal {\n  filter = event=imap_command_finished AND bytes_in=1k\n}\n";
    let words = "this kills every process of Dovecot 2.3 that evaluates it: `bytes_in` is a number";
    let mut reader = fixture.reader();
    for request in [
        "METRICS-ADD\tfatal\t\t\t\tbytes_in=1k\t\t",
        "FANTAIL-TAP\tbytes_in=1k\tjson\t1\t1\t1",
    ] {
        let answer = reader.ask(request).unwrap();
        assert!(answer.contains(words), "{answer}");
        reader = fixture.reader();
    }
    fixture.configure(fatal);
    let answer = reader.ask("FANTAIL-RELOAD").unwrap();
    assert!(answer.contains(words), "{answer}");
    assert!(answer.contains("fantail.conf:2:"), "{answer}");
    assert_eq!(fixture.writer().filter, "(event=\"*\")");
    let options = ServerOptions::new(fixture.path("fantail.conf"), Log::new(|_| {}));
    let error = Server::start(options).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    // A number is no danger, and a text that Dovecot compares with texts neither.
    fixture.configure(&fatal.replace("bytes_in=1k", "bytes_in=1000 AND user=anna"));
    assert_eq!(reader.ask("FANTAIL-RELOAD").unwrap(), "+");
}
