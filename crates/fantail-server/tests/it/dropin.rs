//! A stock Dovecot 2.3 whose stats process we are: with IMAP traffic, and
//! started again while we run.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fantail_testkit::{process::Process, program, skip};

use crate::fixture::{Fixture, PATIENCE, eventually};

/// A Dovecot in a folder of its own; stopped at the end, however that comes.
struct Dovecot {
    /// In the foreground, so that it is a child that ends with us: a master
    /// in the background has no parent.
    master: Option<Process>,
    program: PathBuf,
    configuration: PathBuf,
    port: u16,
}

const METRICS: &str = "\
metric all {
  filter = event=*
}
metric commands {
  filter = event=imap_command_finished
  group_by = cmd_name
}
metric logins {
  filter = event=auth_client_request_finished
}
";

impl Dovecot {
    /// A Dovecot that leaves the sockets to us, not started yet.
    fn new(folder: &Path) -> Option<Self> {
        let program = program("dovecot")?;
        if !nix::unistd::geteuid().is_root() {
            skip("Dovecot is started by root only");
            return None;
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(folder.join("run")).unwrap();
        fs::create_dir(folder.join("mail")).unwrap();
        fs::set_permissions(folder.join("mail"), fs::Permissions::from_mode(0o777)).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let listeners = ["stats-writer", "login/stats-writer", "stats-reader"];
        let listeners =
            listeners.map(|name| format!("  unix_listener {name} {{\n    mode = 0\n  }}\n"));
        let base = folder.display();
        let text = format!(
            "protocols = imap\nlisten = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\n\
             base_dir = {base}/run\nstate_dir = {base}/state\nlog_path = {base}/log\n\
             mail_location = maildir:~/Maildir\n\
             passdb {{\n  driver = static\n  args = password=secret\n}}\n\
             userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home={base}/mail/%u\n}}\n\
             service imap-login {{\n  inet_listener imap {{\n    port = {port}\n  }}\n  \
             inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
             service stats {{\n{}}}\n{METRICS}",
            listeners.concat()
        );
        let configuration = folder.join("dovecot.conf");
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(&configuration, text).unwrap();
        Some(Self {
            master: None,
            program,
            configuration,
            port,
        })
    }

    fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-F").arg("-c").arg(&self.configuration);
        // Its children keep what it is given.
        let mut master = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        });
        eventually("Dovecot serves", || {
            assert!(!master.has_ended(), "{}", self.log());
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        self.master = Some(master);
    }

    fn log(&self) -> String {
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        fs::read_to_string(self.configuration.with_file_name("log")).unwrap_or_default()
    }

    fn stop(&mut self) {
        assert!(self.master.take().unwrap().stop().success());
    }

    /// Logs in, opens the inbox, logs out.
    fn session(&self) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = BufReader::new(stream);
        let mut ask = |command: &str, end: &str| {
            stream.get_mut().write_all(command.as_bytes()).unwrap();
            let mut line = String::new();
            while !line.starts_with(end) {
                line.clear();
                assert_ne!(stream.read_line(&mut line).unwrap(), 0, "{command}");
            }
        };
        ask("", "* OK");
        ask("a LOGIN anna secret\r\n", "a OK");
        ask("b SELECT INBOX\r\n", "b OK");
        ask("c LOGOUT\r\n", "c OK");
    }
}

fn counts(fixture: &Fixture) -> Vec<(String, u64)> {
    let lines = fixture.reader().dump("DUMP\tcount");
    let counts = lines.iter().map(|line| {
        let mut parts = line.split('\t');
        (
            parts.next().unwrap().to_owned(),
            parts.next().unwrap().parse().unwrap(),
        )
    });
    counts.collect()
}

fn count(fixture: &Fixture, metric: &str) -> u64 {
    let counts = counts(fixture);
    counts
        .iter()
        .find(|(name, _)| name == metric)
        .map_or(0, |(_, count)| *count)
}

#[test]
fn a_stock_dovecot_may_start_before_and_after_us() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut dovecot) = Dovecot::new(folder.path()) else {
        return;
    };
    let login = folder.path().join("run/login/stats-writer");
    dovecot.start();
    let fixture = Fixture::within(folder, METRICS, |_| {});
    eventually("login processes have a socket", || login.exists());
    dovecot.session();
    eventually("the session is counted", || {
        count(&fixture, "commands_LOGOUT") == 1
    });
    // Those of login processes.
    eventually("logins are counted", || count(&fixture, "logins") >= 1);

    // The next Dovecot starts although we are there already.
    dovecot.stop();
    dovecot.start();
    eventually("the socket is there again", || login.exists());
    dovecot.session();
    eventually("the session is counted", || {
        count(&fixture, "commands_LOGOUT") == 2
    });
    eventually("logins are counted", || count(&fixture, "logins") >= 2);
}
