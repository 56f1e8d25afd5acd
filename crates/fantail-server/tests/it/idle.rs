//! Clients that are there and send nothing.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::fixture::{ALL, Fixture, PATIENCE, VERSION, event, resident};

/// Connections that are open at one time.
const CLIENTS: usize = 10_000;

/// Where the clients connect, told to the process that has them.
const SOCKET: &str = "FANTAIL_IDLE_SOCKET";

/// Files that a process has besides.
const OTHERS: u64 = 200;

/// The other ends of the connections are another process' files: both have
/// the limit to themselves.
#[test]
fn ten_thousand_idle_connections_cost_little() {
    if let Some(path) = env::var_os(SOCKET) {
        return be_idle(path.as_ref());
    }
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if most < CLIENTS as u64 + OTHERS {
        fantail_testkit::skip(&format!(
            "10,000 connections need more than the {most} files that a process may have"
        ));
        return;
    }
    let fixture = Fixture::alone(ALL, |_| {});
    fixture.send(&event("a", 1));
    let before = resident();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["idle::ten_thousand_idle_connections_cost_little"]);
    command.args(["--exact", "--nocapture", "--test-threads=1"]);
    command.env(SOCKET, fixture.path("run/stats-writer"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut clients = command.spawn().unwrap();
    let mut lines = BufReader::new(clients.stdout.take().unwrap()).lines();
    // The first line begins with the name of the test.
    let all = format!("{CLIENTS} are greeted");
    let greeted = lines.any(|line| line.unwrap().ends_with(&all));
    assert!(greeted, "the clients ended");
    // One is greeted after all the others, and counted.
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 2);
    let each = resident().saturating_sub(before) / CLIENTS;
    println!("{CLIENTS} idle connections take {each} bytes each");
    assert!(each < 1024, "{each} bytes for each of {CLIENTS}");
    drop(clients.stdin.take());
    assert!(clients.wait().unwrap().success());
}

#[allow(clippy::print_stdout, reason = "another process reads it")]
fn tell(line: &str) {
    println!("{line}");
}

/// The clients, until the standard input ends.
fn be_idle(path: &std::path::Path) {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let clients: Vec<UnixStream> = (0..CLIENTS)
        .map(|_| {
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(VERSION.as_bytes()).unwrap();
            stream
        })
        .collect();
    for mut stream in &clients {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut greeting = [0; 22];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"VERSION\tstats-server\t4");
    }
    tell(&format!("{CLIENTS} are greeted"));
    let mut until = Vec::new();
    std::io::stdin().read_to_end(&mut until).unwrap();
}
