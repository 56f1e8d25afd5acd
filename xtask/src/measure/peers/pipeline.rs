//! What counts the events: the processes from the socket to the counts.

use std::{
    fmt, fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::{
    error::Error,
    measure::compare::{
        feed::{Clients, Script},
        process,
        server::{self, Server},
        stream::Stream,
    },
    measure::peers::{
        Bench,
        counted::{self, Counted},
        processes::{child, idle, on_path, peak_memory},
        tools::{COUNTS, EXPORT, Tool, scrape},
    },
};

/// How long processes are idle once they are started, or read all.
const STARTED: Duration = Duration::from_secs(1);
/// How long a tool is idle once it has counted all: syslog-ng looks for lines each
/// second, and gives a group up to three seconds after its last event.
const COUNTED: Duration = Duration::from_secs(5);

/// A way to count events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipeline {
    /// fantail's stats process, the baseline of all ratios.
    Serve,
    /// A recording of the events, read from a file.
    Replay,
    /// Dovecot's stats process and its own metrics.
    Dovecot,
    /// Dovecot's stats process writes JSON to the log, a tool counts its lines.
    Log(Tool),
}

pub(super) const ALL: [Pipeline; 6] = [
    Pipeline::Serve,
    Pipeline::Replay,
    Pipeline::Dovecot,
    Pipeline::Log(Tool::Mtail),
    Pipeline::Log(Tool::Rsyslog),
    Pipeline::Log(Tool::SyslogNg),
];

/// What a pipeline counted, and what it took.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) counted: Counted,
    pub(super) cpu: Duration,
    /// The part of Dovecot's processes.
    pub(super) dovecot: Duration,
    /// Bytes at the most, of all processes.
    pub(super) memory: u64,
}

impl Pipeline {
    /// Returns the program that it needs and that is not installed.
    pub(super) fn missing(self) -> Option<String> {
        let tool = match self {
            Self::Serve | Self::Replay => return None,
            Self::Dovecot => None,
            Self::Log(tool) => Some(tool),
        };
        if on_path("dovecot").is_none() {
            return Some("dovecot".to_owned());
        }
        let missing = tool.filter(|tool| tool.program().is_none());
        missing.map(|tool| tool.to_string())
    }

    /// Counts the events of a stream.
    pub(super) fn count(self, bench: Bench<'_>, stream: &Stream) -> Result<Taken, Error> {
        let Bench {
            program, folder, ..
        } = bench;
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(Error::at("empty", folder))?;
        }
        let script = Script::new(&stream.bytes, bench.writes);
        match self {
            Self::Serve => {
                let server = server::fantail(program, folder, COUNTS)?;
                measured(&server, &[], 0, &script, || of_server(&server))
            }
            Self::Replay => replay(program, folder, stream),
            Self::Dovecot => {
                let server = server::dovecot(folder, COUNTS)?;
                measured(&server, &[], 1, &script, || of_server(&server))
            }
            Self::Log(tool) => {
                let server = server::dovecot(folder, EXPORT)?;
                let base = folder.join("dovecot");
                let tool = tool.start(&folder.join("tool"), &base.join("log"))?;
                let log = child(master(&base.join("run/master.pid"))?, "log")?;
                let others = [log, tool.process.id()];
                measured(&server, &others, 2, &script, || tool.counted())
            }
        }
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve => f.write_str("`fantail serve`"),
            Self::Replay => f.write_str("`fantail replay` of a capture"),
            Self::Dovecot => f.write_str("Dovecot's own metrics"),
            Self::Log(tool) => write!(f, "Dovecot's JSON log, {tool}"),
        }
    }
}

/// Sends events to a server and waits for it and for the others that they pass.
/// The first `of_dovecot` of these processes are Dovecot's.
fn measured(
    server: &Server,
    others: &[u32],
    of_dovecot: usize,
    script: &Script<'_>,
    counted: impl Fn() -> Result<Counted, Error>,
) -> Result<Taken, Error> {
    let pids = &[&[server.pid], others].concat();
    let clients = Clients::connect(&server.writer, script)?;
    let before = idle(pids, STARTED)?;
    clients.play(script)?;
    let counts_itself = others.is_empty();
    let after = idle(pids, if counts_itself { STARTED } else { COUNTED })?;
    let pairs = after.iter().zip(&before);
    let each = pairs.map(|(after, before)| after.saturating_sub(*before));
    let each: Vec<Duration> = each.collect();
    Ok(Taken {
        counted: counted()?,
        cpu: each.iter().sum(),
        dovecot: each.iter().take(of_dovecot).sum(),
        memory: peak_memory(pids)?,
    })
}

fn of_server(server: &Server) -> Result<Counted, Error> {
    counted::of_scrape(&scrape(server.port)?, &counted::groups(COUNTS))
}

fn master(path: &Path) -> Result<u32, Error> {
    let text = fs::read_to_string(path).map_err(Error::at("read", path))?;
    text.trim()
        .parse()
        .map_err(|_| Error::new(format!("no process id in {}", path.display())))
}

/// Plays the same lines from a file, and measures the whole process.
fn replay(program: &Path, folder: &Path, stream: &Stream) -> Result<Taken, Error> {
    fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
    let [config, capture, scrape] = ["counts.conf", "capture", "scrape"].map(|it| folder.join(it));
    fs::write(&config, COUNTS).map_err(Error::at("write", &config))?;
    let mut lines = Vec::with_capacity(stream.bytes.len());
    for line in stream.bytes.split_inclusive(|byte| *byte == b'\n') {
        lines.extend_from_slice(b"1\t0\t");
        lines.extend_from_slice(line);
    }
    fs::write(&capture, lines).map_err(Error::at("write", &capture))?;
    let mut child = Command::new(program)
        .args(["replay", "--dialect", "2.3", "--config"])
        .arg(&config)
        .arg("--openmetrics")
        .arg(&scrape)
        .arg(&capture)
        .stdin(Stdio::null())
        .spawn()
        .map_err(Error::at("run", program))?;
    // An ended process has its processor time until it is waited for.
    let pid = Pid::from_child(&child);
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), ended).map_err(Error::at("wait for", program))?;
    let cpu = process::cpu(child.id());
    let status = child.wait().map_err(Error::at("wait for", program))?;
    if !status.success() {
        return Err(Error::new(format!("fantail replay: {status}")));
    }
    let text = fs::read_to_string(&scrape).map_err(Error::at("read", &scrape))?;
    Ok(Taken {
        counted: counted::of_scrape(&text, &counted::groups(COUNTS))?,
        cpu: cpu?,
        dovecot: Duration::ZERO,
        memory: 0,
    })
}
