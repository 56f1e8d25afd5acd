//! A system in a folder, with Dovecot and fantail. Each step prints its action and then
//! delivers and reads a mail.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::mail;
use crate::error::Error;

/// The maximum time in which a process starts or ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// The block that step 2 adds to Dovecot's configuration.
pub(super) const BLOCK: &str = "service stats {
  unix_listener stats-writer {
    mode = 0
  }
  unix_listener login/stats-writer {
    mode = 0
  }
  unix_listener stats-reader {
    mode = 0
  }
}
";

const METRIC: &str = "metric commands {\n  filter = event=imap_command_finished\n}\n";

/// A system in a folder.
pub(super) struct Host {
    root: PathBuf,
    program: PathBuf,
    imap: u16,
    fantail: Option<Child>,
    /// Whether the unit is enabled: fantail starts before Dovecot.
    is_enabled: bool,
    /// The output of the last command.
    said: String,
}

impl Host {
    /// Turns a folder into a mail server without fantail, and starts Dovecot.
    pub(super) fn new(root: &Path, program: &Path) -> Result<Self, Error> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let imap = port.map_err(|error| Error::new(format!("no free port: {error}")))?;
        let mut host = Self {
            root: root.to_owned(),
            program: program.to_owned(),
            imap: imap.port(),
            fantail: None,
            is_enabled: false,
            said: String::new(),
        };
        host.stop_dovecot()?;
        for stale in [
            "run/dovecot",
            "etc/fantail",
            "usr/local/bin/fantail",
            "var/lib/fantail",
            "srv/mail",
            "var/log/dovecot.log",
            "var/log/fantail.log",
            "etc/dovecot/conf.d/90-fantail.conf",
        ] {
            let path = host.root.join(stale);
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::at("remove", &path)(error));
                }
                _ => {}
            }
        }
        fs::create_dir_all(host.root.join("srv/mail")).map_err(Error::at("make", root))?;
        host.run("chown 1000:1000 /srv/mail")?;
        let release = host.run("dovecot --version")?;
        let settings = host.settings(release.starts_with("2.4"));
        host.write("etc/dovecot/local.conf", &settings)?;
        // Dovecot would look up users of the system first, which delays each login.
        host.run("sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf")?;
        println!("   Dovecot {}", release.trim_end());
        host.restart()?;
        Ok(host)
    }

    fn settings(&self, is_2_4: bool) -> String {
        let of_release = if is_2_4 {
            "auth_allow_cleartext = yes\npassdb static {\n  password = pass\n}\n\
             userdb static {\n}\nmail_uid = 1000\nmail_gid = 1000\n\
             mail_home = /srv/mail/%{user}\nmail_driver = maildir\nmail_path = ~/Maildir\n\
             mail_inbox_path = ~/Maildir\n"
        } else {
            "disable_plaintext_auth = no\n\
             passdb {\n  driver = static\n  args = password=pass\n}\n\
             userdb {\n  driver = static\n  args = uid=1000 gid=1000 home=/srv/mail/%u\n}\n\
             mail_location = maildir:~/Maildir\n"
        };
        format!(
            "{of_release}protocols = imap lmtp\nssl = no\nlisten = 127.0.0.1\n\
             log_path = /var/log/dovecot.log\nservice imap-login {{\n  inet_listener imap {{\n    \
             port = {}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n{METRIC}",
            self.imap
        )
    }

    /// Writes a file of the system.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Error> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        }
        fs::write(&path, text).map_err(Error::at("write", &path))
    }

    /// Step 2: adds the block to Dovecot's configuration; `None` removes it.
    pub(super) fn paste(&mut self, block: Option<&str>) -> Result<(), Error> {
        let what = block.map_or("removed from", |_| "pasted into");
        println!("   the block is {what} Dovecot's configuration");
        self.write(
            "etc/dovecot/conf.d/90-fantail.conf",
            block.unwrap_or_default(),
        )?;
        self.mail()
    }

    /// Step 3: installs the program and a configuration that includes Dovecot's.
    pub(super) fn install(&mut self) -> Result<(), Error> {
        println!("   fantail is installed");
        self.install_program()?;
        let text = "!include /etc/dovecot/dovecot.conf\n";
        self.write("etc/fantail/fantail.conf", text)?;
        self.mail()
    }

    /// Installs only the program.
    pub(super) fn install_program(&mut self) -> Result<(), Error> {
        let path = self.root.join("usr/local/bin/fantail");
        let copied = fs::copy(&self.program, &path);
        copied.map(drop).map_err(Error::at("copy", &self.program))?;
        let folder = self.root.join("var/lib/fantail");
        fs::create_dir_all(&folder).map_err(Error::at("make", &folder))
    }

    /// Step 4: `systemctl enable fantail`, or `disable`.
    pub(super) fn enable(&mut self, is_enabled: bool) -> Result<(), Error> {
        let what = if is_enabled { "enabled" } else { "disabled" };
        println!("   the unit is {what}");
        self.is_enabled = is_enabled;
        if !is_enabled {
            self.stop_fantail()?;
        }
        self.mail()
    }

    /// `systemctl restart dovecot`: the enabled unit of fantail stops after Dovecot and
    /// starts before it.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        self.stop_dovecot()?;
        if self.is_enabled {
            self.stop_fantail()?;
            self.start_fantail()?;
        }
        self.start_dovecot()?;
        self.mail()?;
        let time = begun.elapsed().as_secs_f64();
        println!("   Dovecot is restarted; mail was down for at most {time:.2} s");
        Ok(())
    }

    /// `doveadm reload`, which the unit passes on to fantail.
    pub(super) fn reload(&mut self) -> Result<(), Error> {
        println!("   Dovecot is reloaded");
        self.run("doveadm reload")?;
        if self.fantail.is_some() {
            let said = self.command("fantail reload")?;
            println!("      fantail reload: {}", first_line(&said));
        }
        // Mail is interrupted for a moment, because a reload ends Dovecot's processes.
        let begun = Instant::now();
        self.wait("mail is back after the reload", || self.mail().is_ok())?;
        let time = begun.elapsed().as_secs_f64();
        println!("   mail was down for at most {time:.2} s");
        Ok(())
    }

    /// Starts `fantail serve` by hand.
    pub(super) fn serve(&mut self) -> Result<(), Error> {
        println!("   fantail is started by hand");
        self.start_fantail()?;
        self.mail()
    }

    /// Ends fantail, by SIGTERM or SIGKILL.
    pub(super) fn end(&mut self, kill: bool) -> Result<(), Error> {
        let what = if kill { "killed" } else { "stopped" };
        println!("   fantail is {what}");
        match (&mut self.fantail, kill) {
            (Some(child), true) => {
                let ended = child.kill().and_then(|()| child.wait());
                ended.map_err(|error| Error::new(format!("cannot kill fantail: {error}")))?;
                self.fantail = None;
            }
            _ => self.stop_fantail()?,
        }
        self.mail()
    }

    /// Waits for a text in fantail's log or in the output of the last command.
    pub(super) fn expect(&mut self, what: &str) -> Result<(), Error> {
        let log = self.root.join("var/log/fantail.log");
        let until = Instant::now() + PATIENCE;
        loop {
            let log = fs::read(&log).unwrap_or_default();
            let said = format!("{}{}", self.said, String::from_utf8_lossy(&log));
            if let Some(line) = said.lines().find(|line| line.contains(what)) {
                println!("      said: {}", line.trim());
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Error::new(format!("nothing says `{what}`, but:\n{said}")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs a command of fantail or Dovecot; [`expect`](Self::expect) checks its output.
    pub(super) fn command(&mut self, command: &str) -> Result<String, Error> {
        let output = self.shell(command)?;
        self.said = output.1.clone();
        Ok(output.1)
    }

    /// Like [`command`](Self::command), but prints the command.
    pub(super) fn ask(&mut self, command: &str) -> Result<(), Error> {
        println!("   $ {command}");
        self.command(command).map(drop)
    }

    fn run(&self, command: &str) -> Result<String, Error> {
        match self.shell(command)? {
            (true, output) => Ok(output),
            (false, output) => Err(Error::new(format!("{command}: {}", output.trim_end()))),
        }
    }

    fn shell(&self, command: &str) -> Result<(bool, String), Error> {
        let output = Command::new("chroot")
            .arg(&self.root)
            .args(["sh", "-c", &format!("{command} 2>&1")])
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|error| Error::new(format!("cannot run chroot: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((output.status.success(), text))
    }

    fn start_dovecot(&mut self) -> Result<(), Error> {
        // The output goes to a file: a daemon would keep an inherited pipe open.
        let started = self
            .run("dovecot >/tmp/dovecot.out 2>&1; status=$?; cat /tmp/dovecot.out; exit $status");
        started.map(drop)
    }

    fn stop_dovecot(&mut self) -> Result<(), Error> {
        let pid = self.root.join("run/dovecot/master.pid");
        let Some(process) = fs::read_to_string(&pid).ok().and_then(|text| {
            let number = text.trim().parse::<u32>().ok()?;
            let folder = PathBuf::from(format!("/proc/{number}"));
            let name = fs::read_to_string(folder.join("comm")).ok()?;
            (name.trim() == "dovecot").then_some(folder)
        }) else {
            return Ok(());
        };
        self.run("doveadm stop")?;
        self.wait("Dovecot ends", || !process.exists())
    }

    fn start_fantail(&mut self) -> Result<(), Error> {
        let path = self.root.join("var/log/fantail.log");
        let log = File::create(&path).map_err(Error::at("write", &path))?;
        self.said.clear();
        let started = Command::new("chroot")
            .arg(&self.root)
            .args(["fantail", "serve", "--config", "/etc/fantail/fantail.conf"])
            .args(["--state", "/var/lib/fantail/state"])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        let mut child =
            started.map_err(|error| Error::new(format!("cannot start fantail: {error}")))?;
        let mut has_ended = false;
        let is_ready = || {
            has_ended = child.try_wait().is_ok_and(|status| status.is_some());
            let said = fs::read(&path).unwrap_or_default();
            has_ended || String::from_utf8_lossy(&said).contains("is ready\n")
        };
        self.wait("fantail starts", is_ready)?;
        println!(
            "   fantail {}",
            if has_ended {
                "did not start"
            } else {
                "is ready"
            }
        );
        self.fantail = Some(child).filter(|_| !has_ended);
        Ok(())
    }

    fn stop_fantail(&mut self) -> Result<(), Error> {
        let Some(mut child) = self.fantail.take() else {
            return Ok(());
        };
        let id = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        self.wait("fantail ends", || {
            child.try_wait().is_ok_and(|status| status.is_some())
        })
    }

    /// Returns whether fantail runs.
    pub(super) fn is_served(&self) -> bool {
        self.fantail.is_some()
    }

    fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            if Instant::now() > until {
                return Err(Error::new(format!("waited in vain until {what}")));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Delivers a mail and reads it.
    fn mail(&self) -> Result<(), Error> {
        mail::delivers_and_reads(&self.root.join("run/dovecot/lmtp"), self.imap)
    }

    /// Ends all processes.
    pub(super) fn stop_all(&mut self) {
        for stopped in [self.stop_dovecot(), self.stop_fantail()] {
            if let Err(error) = stopped {
                println!("   {error}");
            }
        }
        // Output to a pipe is buffered, but must appear before the next path.
        io::stdout().flush().ok();
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("done")
}
