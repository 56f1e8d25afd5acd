//! The system calls of a server, counted by `perf`.
//!
//! Counting makes each call slower, so no time is measured meanwhile.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    error::Error,
    measure::compare::{
        feed::{Clients, Script},
        process,
        server::Server,
    },
};

/// Counts the system calls of a server while clients write; `None` without `perf`, or
/// if it may not count them.
pub(crate) fn of(server: &Server, script: &Script<'_>) -> Result<Option<u64>, Error> {
    let clients = Clients::connect(&server.writer, script)?;
    process::settled(server.pid)?;
    let Ok(mut perf) = start(server.pid) else {
        return Ok(None);
    };
    let counts = tell(&mut perf, "enable").is_ok();
    clients.play(script)?;
    let counts = counts && tell(&mut perf, "disable").is_ok();
    let count = end(perf).map_err(|error| Error::new(format!("perf: {error}")))?;
    Ok(count.filter(|_| counts))
}

fn start(pid: u32) -> io::Result<Child> {
    let mut command = Command::new("perf");
    command.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter"]);
    command.args(["--delay", "-1", "--control", "fd:0,1", "-p"]);
    command.arg(pid.to_string()).stdin(Stdio::piped());
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Gives an order, and waits until it is carried out.
fn tell(perf: &mut Child, order: &str) -> io::Result<()> {
    let (Some(orders), Some(answers)) = (&mut perf.stdin, &mut perf.stdout) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    writeln!(orders, "{order}")?;
    let mut answer = String::new();
    match BufReader::new(answers).read_line(&mut answer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Ends `perf`, and reads what it has counted.
fn end(mut perf: Child) -> io::Result<Option<u64>> {
    if let Some(pid) = Pid::from_raw(i32::try_from(perf.id()).unwrap_or_default()) {
        kill_process(pid, Signal::INT)?;
    }
    let mut text = String::new();
    if let Some(errors) = &mut perf.stderr {
        errors.read_to_string(&mut text)?;
    }
    perf.wait()?;
    let count = |line: &str| line.split(',').next()?.parse().ok();
    Ok(text.lines().find_map(count))
}
