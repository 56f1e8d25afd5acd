//! Mail clients: Python's own, with the real protocols.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::Site;
use crate::process::Process;

/// The maximum time for clients to finish.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A running client program (`testdata/live/traffic.py`).
#[derive(Debug)]
pub struct Traffic {
    process: Process,
    answers: BufReader<ChildStdout>,
}

/// The results of clients.
#[derive(Debug, Clone)]
pub struct Report {
    /// The number of commands.
    pub commands: u64,
    /// The time of the slowest command.
    pub slowest: Duration,
    /// The first twenty unexpected failures.
    pub failures: Vec<String>,
}

impl Traffic {
    /// Returns whether the clients can run; otherwise [`skip`](crate::skip)s
    /// the calling test.
    #[must_use]
    pub fn is_here() -> bool {
        crate::program("python3").is_some()
    }

    /// Plays one visit of each of `users` users, one after another.
    #[must_use]
    pub fn visits(site: &Site, users: u32) -> Report {
        Self::start(site, "visits", users).finish()
    }

    /// Plays a mail submission of each of `users` users, one after another, to a site
    /// that accepts it; the server after it is played, too.
    #[must_use]
    pub fn submissions(site: &Site, users: u32) -> Report {
        Self::start(site, "submit", users).finish()
    }

    /// Opens `users` IMAP connections and keeps them; [`ask`](Self::ask) sends
    /// commands.
    #[must_use]
    pub fn hold(site: &Site, users: u32) -> Self {
        let mut this = Self::start(site, "hold", users);
        this.answer();
        this
    }

    /// Plays `users` users at once, who visit repeatedly.
    #[must_use]
    pub fn press(site: &Site, users: u32) -> Self {
        let mut this = Self::start(site, "press", users);
        this.answer();
        this
    }

    fn start(site: &Site, mode: &str, users: u32) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/live/traffic.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(mode);
        command.arg(site.imap_address().to_string());
        command.arg(site.pop3_address().to_string());
        command.arg(site.path("run/lmtp")).arg(users.to_string());
        command.arg(site.submission_address().to_string());
        command.arg(site.relay_address().to_string());
        let mut process = Process::start_with(&command, |command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        });
        let answers = process.child().stdout.take().expect("its output");
        Self {
            process,
            answers: BufReader::new(answers),
        }
    }

    /// Sends an IMAP command on each open connection; returns the number of OK
    /// answers.
    pub fn ask(&mut self, command: &str) -> u32 {
        let stdin = self.process.child().stdin.as_mut().expect("its input");
        writeln!(stdin, "{command}").expect("the clients read");
        self.answer()
    }

    fn answer(&mut self) -> u32 {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        let number = line.trim().parse();
        number.unwrap_or_else(|_| panic!("the clients said: {line}"))
    }

    /// Ends the clients; returns their results.
    #[must_use]
    pub fn finish(mut self) -> Report {
        drop(self.process.child().stdin.take());
        let mut said = String::new();
        self.answers.read_to_string(&mut said).expect("a report");
        self.process.wait(MAX_WAIT);
        let last = said.lines().last().unwrap_or_default();
        let report: Value = serde_json::from_str(last).unwrap_or_else(|error| {
            panic!("the clients' report: {error}: {said}");
        });
        let failures = report["failures"].as_array().expect("failures");
        Report {
            commands: report["commands"].as_u64().expect("commands"),
            slowest: Duration::from_secs_f64(
                report["slowest_ms"].as_f64().expect("the slowest") / 1000.0,
            ),
            failures: failures.iter().map(ToString::to_string).collect(),
        }
    }
}
