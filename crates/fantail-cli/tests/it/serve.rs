//! `fantail serve`, `fantail stats` and `fantail reload` as programs.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::net::{UnixDatagram, UnixListener, UnixStream},
    },
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fantail_testkit::{
    process::{Process, wait_until},
    program, skip,
};
use rustix::process::Signal;

use crate::program::{Run, fantail};

pub(crate) const METRIC: &str = "metric all {\n  filter = event=*\n  fields = x\n}\n";

/// A server in a folder of its own.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    process: Process,
    said: BufReader<std::process::ChildStderr>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path(), METRIC);
        Self::within(folder)
    }

    fn within(folder: tempfile::TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command
            .args(["serve", "--workers", "2", "--no-login-writer"])
            .args(["--recent", "16M", "--config"])
            .arg(folder.path().join("fantail.conf"))
            .arg("--state")
            .arg(folder.path().join("state"));
        let mut process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let mut said = BufReader::new(process.child().stderr.take().unwrap());
        let mut line = String::new();
        while !line.ends_with("is ready\n") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "the server ended");
        }
        Self {
            folder,
            process,
            said,
        }
    }

    pub(crate) fn reader(&self) -> String {
        let path = self.folder.path().join("run/stats-reader");
        path.display().to_string()
    }

    pub(crate) fn stats(&self, arguments: &[&str]) -> Run {
        let reader = self.reader();
        let all = [&["stats", "--socket", &reader], arguments].concat();
        fantail(&all, b"")
    }

    /// One event `a` with `x` of 7.
    pub(crate) fn send(&self) {
        let mut stream = UnixStream::connect(self.folder.path().join("run/stats-writer")).unwrap();
        let text = "VERSION\tstats-client\t4\t0\nEVENT\t0\t0\t1\t1\t0\tna\tIx\t7\n";
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // It closes once it has read all.
        stream.read_to_end(&mut Vec::new()).unwrap();
    }

    /// Has it end; gives its folder back, and what it said.
    pub(crate) fn stop(mut self) -> (tempfile::TempDir, String) {
        assert_eq!(self.process.stop().code(), Some(0));
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        let empty = tempfile::tempdir().unwrap();
        (std::mem::replace(&mut self.folder, empty), rest)
    }
}

pub(crate) fn configure(folder: &Path, metrics: &str) {
    let base = folder.join("run");
    let text = format!("{metrics}base_dir = {}\n", base.display());
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(folder.join("fantail.conf"), text).unwrap();
}

#[track_caller]
fn check(run: &Run, status: i32, out: &str, err: &str) {
    assert_eq!(run.err, err);
    assert_eq!(String::from_utf8_lossy(&run.out), out);
    assert_eq!(run.status, Some(status));
}

#[test]
fn a_server_is_asked_and_told() {
    let server = Server::start();
    server.send();
    let dump = |arguments: &[&str]| server.stats(&[&["dump"], arguments].concat());
    let heading = "metric_name\tfield\tcount\tsum\tmin\tmax\tavg\tmedian\tstddev\t%95\n";
    let rows = "all\tduration\t1\t0\t0\t0\t0.00\t0\t0.00\t0\n\
        all\tx\t1\t7\t7\t7\t7.00\t7\t0.00\t7\n";
    check(&dump(&[]), 0, &format!("{heading}{rows}"), "");
    let csv = "metric_name,field,count,%99\nall,duration,1,0\nall,x,1,7\n";
    check(
        &dump(&["--format", "csv", "--columns", "count,%99"]),
        0,
        csv,
        "",
    );
    let json = "[\n  {\n    \"metric_name\": \"all\",\n    \"field\": \"duration\",\n    \
        \"count\": 1\n  },\n  {\n    \"metric_name\": \"all\",\n    \"field\": \"x\",\n    \
        \"count\": 1\n  }\n]\n";
    check(
        &dump(&["--format", "json", "--columns", "count"]),
        0,
        json,
        "",
    );

    let added = server.stats(&["add", "mine", "event=a", "--group-by", "x"]);
    assert_eq!((added.status, added.out), (Some(0), Vec::new()));
    // It is taken, and what `fantail check` would say is said.
    let doubt = "warning[lint/unknown-event]: Dovecot has no event `a`";
    assert!(added.err.contains(doubt), "{}", added.err);
    let again = server.stats(&["add", "mine", "event=a"]);
    assert!(
        again.err.ends_with("\nerror: Metric already exists\n"),
        "{}",
        again.err
    );
    let broken = server.stats(&["add", "broken", "event=("]);
    assert!(
        broken.err.starts_with("error[config/filter-syntax]"),
        "{}",
        broken.err
    );
    let column = server.stats(&["dump", "--columns", "p99"]);
    check(
        &column,
        1,
        "",
        "error: --columns: there is no column `p99`; write %99\n",
    );
    server.send();
    let table = "metric_name\tfield\tcount\nall\tduration\t2\nall\tx\t2\n\
        mine\tduration\t1\nmine_7\tduration\t1\n";
    check(&dump(&["--columns", "count", "--reset"]), 0, table, "");
    let zeros = table.replace("\t2\n", "\t0\n").replace("\t1\n", "\t0\n");
    check(&dump(&["--columns", "count"]), 0, &zeros, "");
    check(&server.stats(&["reopen"]), 0, "", "");
    check(&server.stats(&["reset"]), 0, "", "");
    check(&server.stats(&["remove", "mine"]), 0, "", "");
    let gone = server.stats(&["remove", "mine"]);
    check(&gone, 1, "", "error: metrics 'mine' not found\n");
    let long = server.stats(&["add", "long", &format!("event={}", "x".repeat(2_000))]);
    let why = "error: the request is longer than the 1023 bytes that a stats process takes\n";
    assert!(long.err.ends_with(why), "{}", long.err);
}

#[test]
fn a_server_reads_its_configuration_again() {
    let server = Server::start();
    server.send();
    let reload = || fantail(&["reload", "--socket", &server.reader()], b"");
    check(&reload(), 0, "", "the configuration was reloaded\n");
    configure(
        server.folder.path(),
        "metric all {\n  filter = event=(\n}\n",
    );
    let refused = reload();
    assert_eq!(refused.status, Some(1));
    assert!(
        refused.err.contains("the configuration stays as it was"),
        "{}",
        refused.err
    );
    assert!(
        refused.err.contains("fantail.conf:2:18: error"),
        "{}",
        refused.err
    );
    // By a signal as well: when that has been done is seen by what it says.
    configure(server.folder.path(), &METRIC.replace("all", "other"));
    server.process.signal(Signal::HUP);
    let deadline = Instant::now() + Duration::from_secs(20);
    let other = "metric_name\tfield\tcount\nother\tduration\t0\nother\tx\t0\n";
    while server.stats(&["dump", "--columns", "count"]).out != other.as_bytes() {
        assert!(Instant::now() < deadline, "never reloaded");
        thread::sleep(Duration::from_millis(10));
    }
    let (_, said) = server.stop();
    let reloads = said.matches("the configuration was reloaded").count();
    assert_eq!(reloads, 2, "{said}");
}

#[test]
fn counts_survive_a_restart() {
    let server = Server::start();
    server.send();
    let (folder, _) = server.stop();
    assert!(!folder.path().join("run/stats-writer").exists());
    let server = Server::within(folder);
    server.send();
    let table = "metric_name\tfield\tsum\nall\tduration\t0\nall\tx\t14\n";
    check(&server.stats(&["dump", "--columns", "sum"]), 0, table, "");
}

#[test]
fn a_killed_server_is_replaced_by_the_next() {
    let mut server = Server::start();
    server.send();
    server.process.signal(Signal::KILL);
    server.process.wait(Duration::from_secs(10));
    let empty = tempfile::tempdir().unwrap();
    let folder = std::mem::replace(&mut server.folder, empty);
    assert!(folder.path().join("run/stats-writer").exists());
    let server = Server::within(folder);
    server.send();
    let table = "metric_name\tfield\tcount\nall\tduration\t1\nall\tx\t1\n";
    check(&server.stats(&["dump", "--columns", "count"]), 0, table, "");
}

/// Sockets come from a service manager, which hears how things stand.
#[test]
fn a_service_manager_hands_over_sockets_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    configure(folder.path(), METRIC);
    fs::create_dir(path("run")).unwrap();
    let writer = UnixListener::bind(path("run/stats-writer")).unwrap();
    let manager = UnixDatagram::bind(path("notify")).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // What a service manager does: the socket is descriptor 3.
    let hand_over = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 </dev/null";
    let mut child = Command::new("sh")
        .args([
            "-c",
            hand_over,
            env!("CARGO_BIN_EXE_fantail"),
            "serve",
            "--config",
        ])
        .arg(path("fantail.conf"))
        .stdin(Stdio::from(OwnedFd::from(writer)))
        .stderr(Stdio::null())
        .env("NOTIFY_SOCKET", path("notify"))
        .spawn()
        .unwrap();
    let mut heard = String::new();
    let mut hear = |what: &str| {
        while !heard.contains(what) {
            let mut message = [0; 512];
            let count = manager.recv(&mut message).unwrap();
            heard.push_str(&String::from_utf8_lossy(&message[..count]));
        }
        heard.clear();
    };
    hear("READY=1");
    let mut stream = UnixStream::connect(path("run/stats-writer")).unwrap();
    let mut greeting = [0; 7];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"VERSION");
    let reader = path("run/stats-reader").display().to_string();
    let reloaded = fantail(&["reload", "--socket", &reader], b"");
    check(&reloaded, 0, "", "the configuration was reloaded\n");
    hear("RELOADING=1");
    hear("READY=1");
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, Signal::TERM).unwrap();
    hear("STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // It is not ours to remove.
    assert!(path("run/stats-writer").exists());
}

/// An exporter fills the pipe, and a client causes a line in the log.
#[test]
fn a_blocked_standard_error_blocks_neither_events_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let exporting = "event_exporter out {\n  format = json\n  format_args = time-unix\n  \
        transport = log\n}\n\
        metric all {\n  filter = event=*\n  fields = x\n  exporter = out\n}\n\
        log_path = /dev/stderr\n";
    configure(folder.path(), exporting);
    let mut server = Server::within(folder);
    let writer = server.folder.path().join("run/stats-writer");
    let send = |lines: &str| {
        let mut stream = UnixStream::connect(&writer).unwrap();
        let text = format!("VERSION\tstats-client\t4\t0\n{lines}");
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    };
    let line = format!(
        "EVENT\t0\t0\t1\t1\t0\tna\tIx\t7\tSpad\t{}\n",
        "p".repeat(900)
    );
    send(&line.repeat(1_000));
    wait_until("the pipe is full", Duration::from_secs(20), || {
        let pipe = server.said.get_ref();
        rustix::io::ioctl_fionread(pipe).unwrap() > 50_000
    });
    for _ in 0..100 {
        send("GARBAGE\n");
    }
    server.send();
    let table = "metric_name\tfield\tcount\nall\tduration\t1001\nall\tx\t1001\n";
    check(&server.stats(&["dump", "--columns", "count"]), 0, table, "");
    assert_eq!(server.process.stop().code(), Some(0));
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fantail.conf");
    configure(folder.path(), "metric all {\n}\n");
    let path = path.display().to_string();
    let run = fantail(&["serve", "--config", &path], b"");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("the metric has no filter"), "{}", run.err);
    let nobody = fantail(&["stats", "--socket", "/nonexistent", "dump"], b"");
    let why = "error: cannot connect to /nonexistent: No such file or directory (os error 2); \
               `fantail doctor` says what is wrong\n";
    check(&nobody, 1, "", why);
}

/// A configuration whose exporter logs, for Dovecot and for the server.
fn logging(folder: &Path) -> String {
    let base = folder.display();
    let exported = METRIC.replace("}", "  exporter = out\n  exporter_include = name fields\n}");
    format!(
        "event_exporter out {{\n  format = json\n  format_args = time-unix\n  \
         transport = log\n}}\n{exported}protocols =\nlisten = 127.0.0.1\nssl = no\n\
         log_path = {base}/errors\ninfo_log_path = {base}/log\n\
         log_timestamp = \"%Y-%m-%d %H:%M:%S \"\n\
         base_dir = {base}/run\nstate_dir = {base}/state\n",
    )
}

/// The lines of the stats process in a log.
fn logged(log: &Path) -> Vec<String> {
    let mut text = String::new();
    if let Ok(mut file) = fs::File::open(log) {
        file.read_to_string(&mut text).unwrap();
    }
    let lines = text.lines().filter(|line| line.contains(" stats: "));
    lines.map(str::to_owned).collect()
}

/// Starts a server and sends it an event; returns whether it could be started.
fn export(command: &Command, folder: &Path, lines: usize) -> bool {
    let mut process = Process::start_with(command, |command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    });
    let writer = folder.join("run/stats-writer");
    let mut ended = false;
    wait_until("the server listens", Duration::from_secs(20), || {
        ended = process.has_ended();
        ended || UnixStream::connect(&writer).is_ok()
    });
    if ended {
        return false;
    }
    let mut stream = UnixStream::connect(&writer).unwrap();
    let text = "VERSION\tstats-client\t4\t0\nEVENT\t0\t0\t1\t1\t0\tna\tIx\t7\n";
    stream.write_all(text.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    wait_until("the line is there", Duration::from_secs(20), || {
        logged(&folder.join("log")).len() == lines
    });
    process.stop();
    true
}

/// Dovecot's stats process and the server log the same event.
#[test]
fn log_exports_are_written_where_and_how_dovecot_writes_them() {
    let Some(dovecot) = program("dovecot") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("dovecot.conf");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&configuration, logging(folder.path())).unwrap();
    let mut command = Command::new(dovecot);
    command.arg("-F").arg("-c").arg(&configuration);
    if !export(&command, folder.path(), 1) {
        skip("Dovecot cannot be started here");
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
    command.args(["serve", "--no-login-writer", "--ignore-dovecot", "--config"]);
    command.arg(&configuration);
    assert!(export(&command, folder.path(), 2));
    let lines = logged(&folder.path().join("log"));
    // The times differ.
    let time = "2026-11-30 14:18:13 ".len();
    let [theirs, ours] = [&lines[0][time..], &lines[1][time..]];
    assert_eq!(ours, theirs);
    assert!(
        theirs.starts_with("stats: Info: {\"event\":\"a\""),
        "{theirs}"
    );
}

/// Dovecot's own stats process, asked by us.
#[test]
fn dovecot_itself_is_asked_and_told() {
    let Some(dovecot) = program("dovecot") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().display().to_string();
    let configuration = folder.path().join("dovecot.conf");
    let text = format!(
        "{METRIC}protocols =\nlisten = 127.0.0.1\nssl = no\nlog_path = {base}/log\n\
         base_dir = {base}/run\nstate_dir = {base}/state\n"
    );
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&configuration, text).unwrap();
    let socket = format!("{base}/run/stats-reader");
    // In the foreground: one that goes to the background outlives a test that
    // is killed.
    let mut command = Command::new(dovecot);
    command.arg("-F").arg("-c").arg(&configuration);
    let mut master = Process::start_with(&command, |command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    });
    let mut ended = false;
    wait_until("Dovecot serves", Duration::from_secs(20), || {
        ended = master.has_ended();
        ended || UnixStream::connect(&socket).is_ok()
    });
    if ended {
        skip("Dovecot cannot be started here");
        return;
    }
    let stats =
        |arguments: &[&str]| fantail(&[&["stats", "--socket", &socket], arguments].concat(), b"");
    let table = stats(&["dump", "--columns", "count stddev"]);
    let added = stats(&["add", "mine", "event=a"]);
    let removed = [stats(&["remove", "mine"]), stats(&["remove", "mine"])];
    let reloaded = fantail(&["reload", "--socket", &socket], b"");
    master.stop();
    let rows = "metric_name\tfield\tcount\tstddev\nall\tduration\t0\t0.00\nall\tx\t0\t0.00\n";
    check(&table, 0, rows, "");
    assert_eq!((added.status, added.out), (Some(0), Vec::new()));
    let [first, second] = removed;
    check(&first, 0, "", "");
    check(&second, 1, "", "error: metrics 'mine' not found\n");
    let why = format!(
        "error: {socket} is a socket of Dovecot itself: it is reloaded by `doveadm reload`\n"
    );
    check(&reloaded, 1, "", &why);
}

/// A file that includes Dovecot's, which leaves no socket alone.
#[test]
fn a_server_does_not_start_where_dovecot_would_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let dovecot = format!("base_dir = {}\nssl = no\n", path("run"));
    let own = format!("!include {}\n{METRIC}", path("dovecot.conf"));
    #[allow(clippy::disallowed_methods, reason = "a test's own files")]
    for (name, text) in [("dovecot.conf", &dovecot), ("fantail.conf", &own)] {
        fs::write(path(name), text).unwrap();
    }
    let own = path("fantail.conf");
    let run = fantail(&["serve", "--config", &own], b"");
    assert_eq!(run.status, Some(1));
    let block = "  service stats {\n    unix_listener stats-writer {\n      mode = 0\n    }\n    \
         unix_listener login/stats-writer {\n      mode = 0\n    }\n    \
         unix_listener stats-reader {\n      mode = 0\n    }\n  }\n";
    assert!(run.err.contains(block), "{}", run.err);
    assert!(!folder.path().join("run").exists());
    let check = fantail(&["check", &own], b"");
    let told = String::from_utf8(check.out).unwrap();
    assert!(told.contains("warning[lint/same-sockets]"), "{told}");
    // The flag starts it all the same.
    let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
    command.args(["serve", "--ignore-dovecot", "--config", &own]);
    let mut process = Process::start_with(&command, |command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    });
    let socket = folder.path().join("run/stats-writer");
    wait_until("it serves", Duration::from_secs(20), || {
        assert!(!process.has_ended());
        UnixStream::connect(&socket).is_ok()
    });
    process.stop();
}

/// What a server says at its start, and what `fantail tap` counts.
#[test]
fn a_server_says_what_it_serves_and_a_tap_counts() {
    let server = Server::start();
    let writer = server.folder.path().join("run/stats-writer");
    let reader = server.reader();
    let counting = thread::spawn(move || {
        fantail(
            &[
                "tap", "--socket", &reader, "--count", "event=a", "--for", "2s",
            ],
            b"",
        )
    });
    // The tap is there once the filter of new clients has it.
    let line = b"VERSION\tstats-client\t4\t0\nEVENT\t0\t0\t1\t1\t0\tna\tIx\t7\n";
    let deadline = Instant::now() + Duration::from_secs(20);
    while !counting.is_finished() && Instant::now() < deadline {
        let mut stream = UnixStream::connect(&writer).unwrap();
        stream.write_all(line).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let counted = counting.join().unwrap();
    assert_eq!((counted.status, counted.err.as_str()), (Some(0), ""));
    let count: u64 = String::from_utf8(counted.out)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(count > 0);
    let (_, said) = server.stop();
    assert!(!said.contains("error"), "{said}");
}
