//! Servers with HTTP.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

use fantail_testkit::process::Process;

use crate::serve::configure;

/// Metrics for a recording of Dovecot 2.4.
pub(crate) const METRICS: &str = "\
dovecot_config_version = 2.4.1
metric imap_commands {
  filter = event=imap_command_finished
  fields = net_in_bytes net_out_bytes running_usecs
  group_by cmd_name {
  }
  group_by tagged_reply_state {
  }
}
metric imap_duration {
  filter = event=imap_command_finished
  group_by cmd_name {
  }
  group_by duration {
    method exponential {
      min_magnitude = 1
      max_magnitude = 5
      base = 10
    }
  }
}
metric everything {
  filter = event=*
}
metric reasons {
  filter = event=*
  group_by reason_code {
  }
}
metric users {
  filter = event=auth_request_finished
  group_by user {
  }
}
";

/// A metric by user.
pub(crate) const GROUPED: &str = "\
dovecot_config_version = 2.4.1
metric logins {
  filter = event=login
  group_by user {
  }
}
";

/// A server in a folder of its own.
pub(crate) struct Host {
    pub(crate) folder: tempfile::TempDir,
    /// The address of its HTTP.
    pub(crate) address: String,
    pub(crate) process: Process,
}

impl Host {
    pub(crate) fn start(metrics: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path(), metrics);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command
            .args(["serve", "--workers", "2", "--no-login-writer"])
            .args(["--http", "127.0.0.1:0", "--config"])
            .arg(folder.path().join("fantail.conf"))
            .arg("--http-socket")
            .arg(folder.path().join("http.sock"))
            .args(more);
        let mut process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let mut said = BufReader::new(process.child().stderr.take().unwrap());
        let (mut line, mut address) = (String::new(), None);
        while !line.ends_with("is ready\n") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "the server ended");
            let url = line.trim().strip_prefix("listening on http://");
            address = url
                .and_then(|url| url.strip_suffix("/metrics"))
                .map(str::to_owned)
                .or(address);
        }
        // What it says later is read, so that it can end.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self {
            folder,
            address: address.unwrap(),
            process,
        }
    }

    /// Plays the lines of a connection; returns once they are counted.
    pub(crate) fn play(&self, lines: &[u8]) {
        let mut stream = UnixStream::connect(self.folder.path().join("run/stats-writer")).unwrap();
        // Read while it is written, as clients do.
        let mut reader = stream.try_clone().unwrap();
        let reader = std::thread::spawn(move || {
            // The server closes the connection once it has read all.
            let _ = reader.read_to_end(&mut Vec::new());
        });
        stream.write_all(lines).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        reader.join().unwrap();
    }

    /// Counts logins of users.
    pub(crate) fn login(&self, users: &[(&str, usize)]) {
        let mut lines = "VERSION\tstats-client\t4\t0\n".to_owned();
        for (user, count) in users {
            for _ in 0..*count {
                writeln!(lines, "EVENT\t0\t0\t1\t1\t0\tnlogin\tSuser\t{user}").unwrap();
            }
        }
        self.play(lines.as_bytes());
    }

    /// A client that stays.
    pub(crate) fn client(&self) -> UnixStream {
        let mut stream = UnixStream::connect(self.folder.path().join("run/stats-writer")).unwrap();
        stream.write_all(b"VERSION\tstats-client\t4\t0\n").unwrap();
        let mut greeting = BufReader::new(stream.try_clone().unwrap());
        greeting.read_line(&mut String::new()).unwrap();
        stream
    }
}
