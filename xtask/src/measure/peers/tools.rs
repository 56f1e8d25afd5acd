//! The programs that count lines of Dovecot's log: mtail, rsyslog, syslog-ng.
//!
//! Each has the configuration that its documentation leads to: one look at the
//! event's name, then those counts that the event takes part in.

use std::{
    env, fmt, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::Error,
    measure::peers::{
        counted::{self, Counted},
        processes::{Process, on_path},
    },
};

/// What Dovecot's own stats process and `fantail serve` count.
pub(super) const COUNTS: &str = include_str!("counts.conf");
/// What has Dovecot write each counted event to its log.
pub(super) const EXPORT: &str = include_str!("export.conf");
const MTAIL: &str = include_str!("counts.mtail");
const RSYSLOG: &str = include_str!("rsyslog.conf");
const SYSLOG_NG: &str = include_str!("syslog-ng.conf");

/// The folder in which a package of syslog-ng is unpacked. Debian's cannot be
/// installed beside rsyslog.
const SYSLOG_NG_ROOT: &str = "SYSLOG_NG_ROOT";

/// A program that reads Dovecot's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Mtail,
    Rsyslog,
    SyslogNg,
}

impl Tool {
    /// Returns its program, if this machine has it.
    pub(super) fn program(self) -> Option<PathBuf> {
        match self {
            Self::Mtail => on_path("mtail"),
            Self::Rsyslog => on_path("rsyslogd"),
            Self::SyslogNg => match env::var_os(SYSLOG_NG_ROOT) {
                Some(root) => Some(Path::new(&root).join("usr/sbin/syslog-ng")),
                None => on_path("syslog-ng"),
            }
            .filter(|program| program.is_file()),
        }
    }

    /// Starts it, in a folder of its own.
    pub(super) fn start(self, folder: &Path, log: &Path) -> Result<Running, Error> {
        let program = self
            .program()
            .ok_or_else(|| Error::new(format!("{self} is not installed")))?;
        fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        match self {
            Self::Mtail => mtail(&program, folder, log),
            Self::Rsyslog => rsyslog(&program, folder, log),
            Self::SyslogNg => syslog_ng(&program, folder, log),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mtail => "mtail",
            Self::Rsyslog => "rsyslog",
            Self::SyslogNg => "syslog-ng",
        })
    }
}

/// A program at work; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) process: Process,
    counts: Counts,
}

/// Where a program has its counts.
#[derive(Debug)]
enum Counts {
    /// A port for scrapes.
    Scrape(u16),
    /// A file of `impstats`.
    Impstats(PathBuf),
    /// A file of partial counts.
    Partial(PathBuf),
}

impl Running {
    pub(super) fn counted(&self) -> Result<Counted, Error> {
        let read = |path: &Path| fs::read_to_string(path).map_err(Error::at("read", path));
        match &self.counts {
            Counts::Scrape(port) => counted::of_scrape(&scrape(*port)?, &counted::groups(COUNTS)),
            Counts::Impstats(path) => counted::of_impstats(&read(path)?),
            Counts::Partial(path) => counted::of_partial_counts(&read(path)?),
        }
    }
}

fn mtail(program: &Path, folder: &Path, log: &Path) -> Result<Running, Error> {
    let counts = folder.join("counts.mtail");
    fs::write(&counts, MTAIL).map_err(Error::at("write", &counts))?;
    let port = free_port()?;
    let mut command = Command::new(program);
    command
        .arg("--progs")
        .arg(&counts)
        .arg("--logs")
        .arg(log)
        .arg("--log_dir")
        .arg(folder)
        .args(["--address", "127.0.0.1", "--port", &port.to_string()]);
    Ok(Running {
        process: Process::start(&mut command, &folder.join("output"))?,
        counts: Counts::Scrape(port),
    })
}

fn rsyslog(program: &Path, folder: &Path, log: &Path) -> Result<Running, Error> {
    let config = configuration(RSYSLOG, folder, log)?;
    let mut command = Command::new(program);
    command.args(["-n", "-f"]).arg(config);
    command.arg("-i").arg(folder.join("pid"));
    Ok(Running {
        process: Process::start(&mut command, &folder.join("output"))?,
        counts: Counts::Impstats(folder.join("stats")),
    })
}

fn syslog_ng(program: &Path, folder: &Path, log: &Path) -> Result<Running, Error> {
    let config = configuration(SYSLOG_NG, folder, log)?;
    let mut command = Command::new(program);
    command.args(["-F", "--no-caps", "-f"]).arg(config);
    for (option, file) in [("-R", "persist"), ("-p", "pid"), ("-c", "control")] {
        command.arg(option).arg(folder.join(file));
    }
    if let Some(root) = env::var_os(SYSLOG_NG_ROOT) {
        let libraries = Path::new(&root).join("usr/lib");
        let own = libraries.join("syslog-ng");
        let modules = modules(&own)?;
        command.arg("--module-path").arg(modules);
        let paths = env::join_paths([own, libraries.join("x86_64-linux-gnu")]);
        let paths = paths.map_err(|error| Error::caused(SYSLOG_NG_ROOT, error))?;
        command.env("LD_LIBRARY_PATH", paths);
    }
    Ok(Running {
        process: Process::start(&mut command, &folder.join("output"))?,
        counts: Counts::Partial(folder.join("counts")),
    })
}

/// Returns the folder of modules, which is named by the version.
fn modules(folder: &Path) -> Result<PathBuf, Error> {
    let entries = fs::read_dir(folder).map_err(Error::at("list", folder))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .find(|path| path.is_dir())
        .ok_or_else(|| Error::new(format!("no folder of modules in {}", folder.display())))
}

/// Writes a configuration with the paths of this run.
fn configuration(text: &str, folder: &Path, log: &Path) -> Result<PathBuf, Error> {
    let path = folder.join("configuration");
    let text = text
        .replace("FOLDER", &folder.to_string_lossy())
        .replace("LOG", &log.to_string_lossy());
    fs::write(&path, text).map_err(Error::at("write", &path))?;
    Ok(path)
}

fn free_port() -> Result<u16, Error> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let wrong = |error| Error::caused("no free port", error);
    Ok(address.map_err(wrong)?.port())
}

/// Returns the text of a scrape.
pub(super) fn scrape(port: u16) -> Result<String, Error> {
    let wrong = |error| Error::caused(format!("scrape of port {port}"), error);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(wrong)?;
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .map_err(wrong)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(wrong)?;
    body(&answer).ok_or_else(|| Error::new(format!("scrape of port {port}: unexpected answer")))
}

/// Returns the body of an HTTP answer. Dovecot sends chunks even to a client of
/// HTTP/1.0.
fn body(answer: &str) -> Option<String> {
    let (head, mut rest) = answer.split_once("\r\n\r\n")?;
    if !head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        return Some(rest.to_owned());
    }
    let mut body = String::new();
    loop {
        let (length, data) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.push_str(data.get(..length)?);
        rest = data.get(length..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::body;

    fn check(answer: &str, expected: Option<&str>) {
        assert_eq!(body(answer).as_deref(), expected);
    }

    #[test]
    fn a_body_is_whole_or_in_chunks() {
        check("HTTP/1.1 200 OK\r\nA: b\r\n\r\nx 1\n", Some("x 1\n"));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(
            &format!("{head}3\r\nx 1\r\na\r\n2\ny 345678\r\n0\r\n\r\n"),
            Some("x 12\ny 345678"),
        );
        check(&format!("{head}3\r\nx 1\r\n"), None);
    }
}
