//! The two servers: the installed Dovecot's stats process, and ours.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{error::Error, measure::compare::feed};

/// A server at work, in a folder of its own; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// The process whose time is measured.
    pub(crate) pid: u32,
    pub(crate) writer: PathBuf,
    pub(crate) reader: PathBuf,
    pub(crate) port: u16,
    end: End,
}

#[derive(Debug)]
enum End {
    /// Dovecot's master with this configuration.
    Doveadm(PathBuf),
    Child(Child),
}

/// Starts Dovecot with these metrics and exporters.
pub(crate) fn dovecot(folder: &Path, blocks: &str) -> Result<Server, Error> {
    let base = folder.join("dovecot");
    let port = free_port()?;
    let config = base.join("dovecot.conf");
    let text = format!(
        "protocols =\nbase_dir = {base}/run\nstate_dir = {base}/state\nlog_path = {base}/log\n\
         ssl = no\nlisten = 127.0.0.1\nservice stats {{\n  client_limit = 6000\n  vsz_limit = 8G\n  \
         unix_listener stats-writer {{\n    mode = 0666\n  }}\n  \
         inet_listener http {{\n    address = 127.0.0.1\n    port = {port}\n  }}\n}}\n{blocks}",
        base = base.display()
    );
    for part in ["run", "state"] {
        let path = base.join(part);
        fs::create_dir_all(&path).map_err(Error::at("make", &path))?;
    }
    fs::write(&config, text).map_err(Error::at("write", &config))?;
    let mut command = Command::new("dovecot");
    command.arg("-c").arg(&config).stdin(Stdio::null());
    let log = base.join("start.log");
    let file = fs::File::create(&log).map_err(Error::at("write", &log))?;
    let status = command.stdout(file).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(Error::new(format!(
            "dovecot did not start; see {}",
            log.display()
        )));
    }
    let mut server = Server {
        pid: 0,
        writer: base.join("run/stats-writer"),
        reader: base.join("run/stats-reader"),
        port,
        end: End::Doveadm(config),
    };
    // The stats process starts with its first client.
    wait_for(&server)?;
    let master = base.join("run/master.pid");
    let text = fs::read_to_string(&master).map_err(Error::at("read", &master))?;
    server.pid = stats_process(text.trim())?;
    Ok(server)
}

/// Starts `fantail serve` with one worker.
pub(crate) fn fantail(program: &Path, folder: &Path, blocks: &str) -> Result<Server, Error> {
    fantail_with(program, folder, blocks, &[])
}

/// Starts `fantail serve` with one worker and further arguments.
pub(crate) fn fantail_with(
    program: &Path,
    folder: &Path,
    blocks: &str,
    arguments: &[&str],
) -> Result<Server, Error> {
    let base = folder.join("fantail");
    fs::create_dir_all(&base).map_err(Error::at("make", &base))?;
    let config = base.join("dovecot.conf");
    // Dovecot has no limits; ours would protect us from the load.
    let limits = "fantail {\n  series_per_metric = 1000000\n  series_total = 1000000\n}\n";
    fs::write(&config, format!("{limits}{blocks}")).map_err(Error::at("write", &config))?;
    let port = free_port()?;
    let (writer, reader) = (base.join("stats-writer"), base.join("stats-reader"));
    let log = base.join("log");
    let file = fs::File::create(&log).map_err(Error::at("write", &log))?;
    let child = Command::new(program)
        .args(["serve", "--workers", "1", "--config"])
        .arg(&config)
        .arg("--writer")
        .arg(&writer)
        .arg("--reader")
        .arg(&reader)
        .arg("--http")
        .arg(format!("127.0.0.1:{port}"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(Error::at("run", program))?;
    let server = Server {
        pid: child.id(),
        writer,
        reader,
        port,
        end: End::Child(child),
    };
    wait_for(&server)?;
    Ok(server)
}

fn wait_for(server: &Server) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match feed::dump(&server.reader, "count") {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The child of Dovecot's master that runs its stats service.
fn stats_process(master: &str) -> Result<u32, Error> {
    let path = format!("/proc/{master}/task/{master}/children");
    let children = fs::read_to_string(&path).unwrap_or_default();
    let is_stats = |pid: &&str| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.trim() == "stats"
    };
    let pid = children.split_whitespace().find(is_stats);
    pid.and_then(|pid| pid.parse().ok())
        .ok_or_else(|| Error::new("dovecot has no stats process"))
}

fn free_port() -> Result<u16, Error> {
    let wrong = |error| Error::new(format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
    Ok(listener.local_addr().map_err(wrong)?.port())
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.end {
            End::Doveadm(config) => {
                let mut command = Command::new("doveadm");
                let _ = command.arg("-c").arg(config).arg("stop").status();
            }
            End::Child(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
