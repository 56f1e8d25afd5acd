//! The program at work beside a Dovecot.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Traffic, Users, Version},
    golden,
    process::{Process, wait_until},
};

use crate::program::{contents, test_data};

/// A started `fantail serve`.
pub(super) struct Serve {
    pub(super) process: Process,
    address: SocketAddr,
}

/// The metrics and exporters of these tests.
pub(super) fn settings(version: Version) -> String {
    let name = format!("live/metrics-{}.conf", version.series());
    String::from_utf8(contents(test_data(&name))).unwrap()
}

/// A Dovecot that leaves its stats service to us; `None` if the test is
/// skipped.
pub(super) fn site(version: Version, settings: &str) -> Option<Site> {
    site_with(version, Users::Served, settings)
}

/// As [`site`]; its users may submit mail.
pub(super) fn site_with(version: Version, users: Users, settings: &str) -> Option<Site> {
    let installation = Installation::find(version)?;
    if users == Users::Submitting && !installation.submits() {
        return None;
    }
    let stats = StatsService::Elsewhere;
    Traffic::is_here().then(|| Site::new(&installation, stats, users, settings))
}

impl Serve {
    /// Starts it for a Dovecot; it is ready when this returns.
    pub(super) fn start(site: &Site, more: &[&str]) -> Self {
        Self::start_with(site, "", more)
    }

    /// As [`start`](Self::start), with settings that Dovecot does not see.
    pub(super) fn start_with(site: &Site, settings: &str, more: &[&str]) -> Self {
        let address = site.scrape_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command
            .arg("serve")
            .arg("--config")
            .arg(configuration(site, settings));
        command.args(["--compat-metrics", "--http", &address.to_string()]);
        command.args(more);
        let log = site.path("serve.log");
        let out = std::fs::File::options();
        let out = out.clone().create(true).append(true).open(&log).unwrap();
        let mut process = Process::start_with(&command, |command| {
            command.stderr(out);
        });
        let sockets = ["run/stats-writer", "run/stats-reader"].map(|name| site.path(name));
        wait_until("fantail serve is ready", Duration::from_secs(10), || {
            let said = contents(&log);
            assert!(!process.has_ended(), "{}", said.escape_ascii());
            sockets
                .iter()
                .all(|socket| UnixStream::connect(socket).is_ok())
        });
        Self { process, address }
    }

    /// What a scraper gets.
    pub(super) fn scrape(&self) -> Vec<u8> {
        scrape(self.address)
    }
}

/// A file for fantail alone, which includes Dovecot's, as the documentation has
/// it. A Dovecot in a folder has accounts of its own: their numbers.
fn configuration(site: &Site, settings: &str) -> PathBuf {
    let installation = site.installation();
    let mut text = format!("!include {}\n", site.config().display());
    if installation.version() == Version::V2_4 {
        text.insert_str(0, "dovecot_config_version = 2.4.1\n");
    }
    let group = installation.account("/etc/group", "dovecot");
    let user = installation.account("/etc/passwd", "dovenull");
    text += &format!(
        "service stats {{\n  unix_listener stats-writer {{\n    group = {group}\n  }}\n  \
           unix_listener login/stats-writer {{\n    user = {user}\n  }}\n}}\n{settings}"
    );
    let path = site.path("fantail.conf");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    std::fs::write(&path, text).unwrap();
    path
}

/// The body of `/metrics`.
pub(super) fn scrape(address: SocketAddr) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.unwrap() + 4);
    assert!(head.starts_with(b"HTTP/1.1 200 ") || head.starts_with(b"HTTP/1.0 200 "));
    if head.windows(7).any(|bytes| bytes == b"chunked") {
        return unchunked(body);
    }
    body.to_vec()
}

/// Dovecot answers in chunks: `<hexadecimal length> CRLF <bytes> CRLF`.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.iter().position(|&byte| byte == b'\r').unwrap();
        let length = std::str::from_utf8(&body[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return whole;
        }
        let chunk = &body[end + 2..];
        whole.extend_from_slice(&chunk[..length]);
        body = &chunk[length + 2..];
    }
}

/// The number in one cell of what `doveadm stats dump -f count` prints; 0 if
/// there is no such row.
pub(super) fn counted(site: &Site, metric: &str) -> u64 {
    let dump = site
        .doveadm_output(&["stats", "dump", "-f", "count"])
        .stdout;
    let start = format!("{metric}\tduration\t");
    let rows = golden::lines(&dump)
        .into_iter()
        .map(String::from_utf8_lossy);
    let mut counts = rows.filter_map(|row| row.strip_prefix(&start).map(str::to_owned));
    counts.next().map_or(0, |count| count.parse().unwrap())
}
