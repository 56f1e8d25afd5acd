//! A site: a folder for a Dovecot.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, fs::symlink, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tempfile::TempDir;

use super::{
    Installation,
    settings::{self, Ports, StatsService, Users},
};
use crate::process::{Process, wait_until};

/// The maximum time of a Dovecot's start.
const START: Duration = Duration::from_secs(20);

/// A Dovecot's folder with all its files; it is removed when dropped.
#[derive(Debug)]
pub struct Site {
    // Dropped before the folders: fields are dropped in this order.
    master: Option<Process>,
    installation: Installation,
    stats: StatsService,
    users: Users,
    ports: Ports,
    /// The path that Dovecot and all other programs use.
    path: PathBuf,
    /// Makes a path of the chroot valid outside.
    _link: Option<Link>,
    _folder: TempDir,
}

impl Site {
    /// Creates the folder; `settings` are the metrics and exporters.
    ///
    /// No process is started yet, so that another server can bind the sockets
    /// of the stats service.
    #[must_use]
    pub fn new(
        installation: &Installation,
        stats: StatsService,
        users: Users,
        settings: &str,
    ) -> Self {
        let place = installation.outside(&std::env::temp_dir());
        let folder = tempfile::Builder::new()
            .prefix("fantail-")
            .tempdir_in(place)
            .expect("a folder for Dovecot");
        let name = folder.path().file_name().expect("the folder's name");
        let path = std::env::temp_dir().join(name);
        let link = Link::new(folder.path(), &path);
        let site = Self {
            master: None,
            installation: installation.clone(),
            stats,
            users,
            ports: free_ports(),
            path,
            _link: link,
            _folder: folder,
        };
        site.make_folders();
        site.configure(settings);
        site
    }

    /// Returns the path of a file or socket in the folder: `run/stats-writer`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the path of its dovecot.conf.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("dovecot.conf")
    }

    /// Returns the installation of Dovecot.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Returns the address of IMAP.
    #[must_use]
    pub fn imap_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.imap).into()
    }

    /// Returns the address of POP3.
    #[must_use]
    pub fn pop3_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.pop3).into()
    }

    /// Returns the address of submission, if it is served.
    #[must_use]
    pub fn submission_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.submission).into()
    }

    /// Returns the address to which Dovecot relays submitted mail.
    #[must_use]
    pub fn relay_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.relay).into()
    }

    /// Returns the address of the scrapes of Dovecot's own stats process; a
    /// free port if another server replaces it.
    #[must_use]
    pub fn scrape_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.scrape).into()
    }

    /// Writes the configuration again, with other metrics and exporters.
    pub fn configure(&self, settings: &str) {
        let version = self.installation.version();
        let ports = self.ports;
        let text = settings::text(version, &self.path, self.stats, self.users, ports, settings);
        write(&self.config(), text.as_bytes());
    }

    /// Starts Dovecot, and waits until it serves.
    pub fn start(&mut self) {
        let mut command = self.installation.command("dovecot");
        command.arg("-F").arg("-c").arg(self.config());
        // A file, not a pipe: the master's children keep it open, so a pipe
        // would not end.
        let out = File::create(self.path("out")).expect("a file for the output");
        let again = out.try_clone().expect("the file twice");
        let mut master = Process::start_with(&command, |command| {
            command.stdout(out).stderr(again);
        });
        wait_until("Dovecot serves", START, || {
            assert!(!master.has_ended(), "Dovecot ended: {}", self.said());
            self.serves()
        });
        self.master = Some(master);
    }

    /// Stops Dovecot, and waits until all its processes have sent their
    /// statistics and ended.
    pub fn stop(&mut self) {
        if let Some(mut master) = self.master.take() {
            master.stop();
        }
    }

    /// Returns the log.
    #[must_use]
    pub fn log(&self) -> Vec<u8> {
        read(&self.path("log"))
    }

    /// Returns the command `doveadm -c <its configuration> <arguments>`.
    #[must_use]
    pub fn doveadm(&self, arguments: &[&str]) -> Command {
        let mut command = self.installation.command("doveadm");
        command.arg("-c").arg(self.config()).args(arguments);
        command
    }

    /// Returns the output of doveadm.
    #[must_use]
    pub fn doveadm_output(&self, arguments: &[&str]) -> Output {
        self.doveadm(arguments).output().expect("doveadm runs")
    }

    fn serves(&self) -> bool {
        let own = self.stats == StatsService::Elsewhere
            || (UnixStream::connect(self.path("run/stats-writer")).is_ok()
                && TcpStream::connect(self.scrape_address()).is_ok());
        let mail = self.users == Users::None
            || ((self.users != Users::Submitting
                || TcpStream::connect(self.submission_address()).is_ok())
                && TcpStream::connect(self.imap_address()).is_ok()
                && TcpStream::connect(self.pop3_address()).is_ok()
                && UnixStream::connect(self.path("run/lmtp")).is_ok());
        own && mail
    }

    fn said(&self) -> String {
        let said = [read(&self.path("out")), self.log()].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    fn make_folders(&self) {
        // Dovecot creates it itself: its login processes run in it.
        for name in ["run", "run/login", "state", "mail"] {
            let path = self.path(name);
            fs::create_dir_all(&path).expect("a folder");
            // Mail belongs to another user.
            let mode = if name == "mail" { 0o777 } else { 0o755 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
}

/// A symbolic link; it is removed when dropped.
#[derive(Debug)]
struct Link(PathBuf);

impl Link {
    /// Creates the link; returns `None` if both paths are the same.
    fn new(target: &Path, path: &Path) -> Option<Self> {
        if target == path {
            return None;
        }
        symlink(target, path).expect("a link");
        Some(Self(path.to_owned()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns ports that were free a moment ago, and that no outgoing connection
/// gets meanwhile: those begin at 32768.
fn free_ports() -> Ports {
    // Tests that run at the same time, in other processes or threads, begin
    // elsewhere.
    static SITES: AtomicU32 = AtomicU32::new(0);
    let sites = SITES.fetch_add(1, Ordering::Relaxed);
    let begin = std::process::id()
        .wrapping_mul(37)
        .wrapping_add(sites * 1_009)
        % 12_000;
    let ports = (begin..12_000).chain(0..begin).filter_map(|offset| {
        let port = 20_000 + u16::try_from(offset).ok()?;
        // All ports are held until the last is found, so that they differ.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, listener))
    });
    let ports: Vec<(u16, TcpListener)> = ports.take(5).collect();
    let ports: Vec<u16> = ports.iter().map(|(port, _)| *port).collect();
    let [imap, pop3, scrape, submission, relay] = ports[..] else {
        panic!("no ports are free");
    };
    Ports {
        imap,
        pop3,
        scrape,
        submission,
        relay,
    }
}

#[allow(clippy::disallowed_methods, reason = "its own files")]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "its own files")]
fn write(path: &Path, text: &[u8]) {
    fs::write(path, text).expect("a file");
}
