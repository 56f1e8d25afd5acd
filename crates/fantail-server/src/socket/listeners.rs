//! Listening sockets: opened before the server runs, kept while it runs.

use std::{
    fs::DirBuilder,
    io,
    net::{SocketAddr, TcpListener as StdTcpListener},
    os::unix::{fs::DirBuilderExt as _, net::UnixListener as StdUnixListener},
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use nix::sys::socket::{self, Backlog};
use tokio::{net::UnixListener, sync::watch, task::JoinHandle};

use crate::{
    Log,
    process::file_watch::{FileWatch, LOOK_INTERVAL, REPORT_INTERVAL},
    socket::accept::{Purpose, accept},
    socket::addresses::Addresses,
    socket::error::SocketError,
    socket::sockets::{Bound, SocketAddress, bind, check},
};

/// Sockets that were bound or handed over by a service manager, before the
/// process becomes another user.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    writers: Vec<Socket>,
    readers: Vec<Socket>,
    pub(crate) http: Vec<StdTcpListener>,
    /// The Unix socket of HTTP.
    pub(crate) http_socket: Option<(StdUnixListener, Bound)>,
}

/// A socket, and its address unless it was handed over.
type Socket = (
    Option<StdUnixListener>,
    Option<(SocketAddress, Option<Bound>)>,
);

impl Sockets {
    /// Takes the sockets that were handed over, and binds the others.
    pub(crate) fn open(
        addresses: &Addresses,
        activated: bool,
        log: &Log,
    ) -> Result<Self, SocketError> {
        let mut sockets = if activated {
            let base_dir = &addresses.base_dir;
            Self::handed_over(log).map_err(|error| SocketError::system(base_dir, error))?
        } else {
            Self::default()
        };
        let writers = wanted(&sockets.writers, &addresses.writers);
        let readers = wanted(&sockets.readers, &addresses.readers);
        // First what changes nothing: another server keeps its sockets whole.
        for address in writers.iter().chain(readers).chain(&addresses.http_socket) {
            check(address)?;
        }
        if sockets.http.is_empty() {
            let http = addresses.http.iter();
            sockets.http = http.map(listen).collect::<Result<_, _>>()?;
        }
        let mut folder = DirBuilder::new();
        match folder.mode(0o755).create(&addresses.base_dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(SocketError::system(&addresses.base_dir, error));
            }
            _ => {}
        }
        sockets.writers.extend(bind_all(writers)?);
        sockets.readers.extend(bind_all(readers)?);
        let http = addresses.http_socket.as_ref();
        sockets.http_socket = http.map(bind).transpose()?;
        Ok(sockets)
    }

    fn handed_over(log: &Log) -> io::Result<Self> {
        let mut sockets = Self::default();
        let mut given = ListenFd::from_env();
        for at in 0..given.len() {
            if let Ok(Some(listener)) = given.take_unix_listener(at) {
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                let name = address.as_pathname().and_then(Path::file_name);
                match name.and_then(|name| name.to_str()) {
                    Some("stats-writer") => sockets.writers.push((Some(listener), None)),
                    Some("stats-reader") => sockets.readers.push((Some(listener), None)),
                    _ => log.say(format_args!(
                        "the service manager handed over a socket that is called neither \
                         stats-writer nor stats-reader; it is closed"
                    )),
                }
            } else if let Ok(Some(listener)) = given.take_tcp_listener(at) {
                listener.set_nonblocking(true)?;
                sockets.http.push(listener);
            }
        }
        Ok(sockets)
    }

    /// The addresses at which scrapes are answered.
    pub(crate) fn http_addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.http.iter();
        listeners
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Starts to accept connections.
    pub(crate) fn serve(
        self,
        writer: &Purpose,
        reader: &Purpose,
        stop: &watch::Receiver<bool>,
        log: &Log,
    ) -> io::Result<Listeners> {
        let mut all = Vec::new();
        for (sockets, purpose) in [(self.writers, writer), (self.readers, reader)] {
            for (listener, address) in sockets {
                let mut one = Listener {
                    address,
                    purpose: purpose.clone(),
                    task: None,
                    failed: false,
                    is_left: false,
                };
                if let Some(listener) = listener {
                    one.accept(listener, stop, log)?;
                }
                all.push(one);
            }
        }
        let mut listeners = Listeners {
            all,
            folders: FileWatch::new(),
            stop: stop.clone(),
            log: log.clone(),
        };
        listeners.mend();
        Ok(listeners)
    }
}

/// The sockets to bind: none if some were handed over.
fn wanted<'a>(handed_over: &[Socket], addresses: &'a [SocketAddress]) -> &'a [SocketAddress] {
    match handed_over.is_empty() {
        true => addresses,
        false => &[],
    }
}

fn listen(address: &SocketAddr) -> Result<StdTcpListener, SocketError> {
    let bound = StdTcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        // The standard library has 128 connections wait. With more at once, the kernel
        // drops the first packet of each, and a scraper repeats it after a second. The
        // system's own maximum is usually 4,096.
        socket::listen(&listener, Backlog::MAXALLOWABLE)?;
        Ok(listener)
    });
    bound.map_err(|error| SocketError::tcp(*address, error))
}

fn bind_all(addresses: &[SocketAddress]) -> Result<Vec<Socket>, SocketError> {
    let bound = addresses.iter().map(|address| match bind(address) {
        Ok((listener, bound)) => Ok((Some(listener), Some((address.clone(), Some(bound))))),
        // Bound once its folder exists.
        Err(error) if error.is_not_found() => Ok((None, Some((address.clone(), None)))),
        Err(error) => Err(error),
    });
    bound.collect()
}

/// The Unix sockets of a running server.
#[derive(Debug)]
pub(crate) struct Listeners {
    all: Vec<Listener>,
    /// The folders of the sockets.
    folders: FileWatch,
    stop: watch::Receiver<bool>,
    log: Log,
}

#[derive(Debug)]
struct Listener {
    address: Option<(SocketAddress, Option<Bound>)>,
    purpose: Purpose,
    task: Option<JoinHandle<()>>,
    /// Whether it could not be bound, which was logged.
    failed: bool,
    /// Whether the path is left to another program.
    is_left: bool,
}

impl Listener {
    fn accept(
        &mut self,
        listener: StdUnixListener,
        stop: &watch::Receiver<bool>,
        log: &Log,
    ) -> io::Result<()> {
        let listener = UnixListener::from_std(listener)?;
        let accepting = accept(listener, self.purpose.clone(), stop.clone(), log.clone());
        if let Some(before) = self.task.replace(self.purpose.turns().spawn(accepting)) {
            before.abort();
        }
        Ok(())
    }

    /// Binds the socket again if it was removed and its folder exists.
    fn mend(&mut self, stop: &watch::Receiver<bool>, log: &Log) {
        let Some((address, bound)) = self.address.as_mut().filter(|_| !self.is_left) else {
            return;
        };
        match bound {
            Some(there) if !there.vanished() => {
                if let Err(error) = there.mend_link() {
                    log.say(format_args!("{error}"));
                }
                return;
            }
            // Dropped first, so that it does not remove the new socket.
            _ => *bound = None,
        }
        match bind(address) {
            Ok((listener, new)) => {
                *bound = Some(new);
                self.failed = false;
                if let Err(error) = self.accept(listener, stop, log) {
                    log.say(format_args!("cannot accept connections: {error}"));
                }
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    log.say(format_args!("{error}"));
                }
            }
        }
    }
}

impl Listeners {
    /// Stops to accept connections at these paths, and removes the sockets; at all
    /// others connections are accepted.
    pub(crate) fn leave(&mut self, paths: &[PathBuf]) {
        for listener in &mut self.all {
            let Some((address, bound)) = &mut listener.address else {
                continue;
            };
            let path = address.link.as_ref().unwrap_or(&address.path);
            listener.is_left = paths.contains(path);
            if listener.is_left {
                listener.failed = false;
                *bound = None;
                if let Some(task) = listener.task.take() {
                    task.abort();
                }
            }
        }
        self.mend();
    }

    /// Waits until sockets may have to be bound again.
    pub(crate) async fn changed(&mut self) {
        // The end of another program's listener is not reported.
        let longest = match self.all.iter().any(|listener| listener.failed) {
            true => REPORT_INTERVAL,
            false => LOOK_INTERVAL,
        };
        self.folders.changed(longest).await;
    }

    /// Binds the sockets again that were removed.
    pub(crate) fn mend(&mut self) {
        loop {
            let addresses = self.all.iter().filter_map(|one| one.address.as_ref());
            let paths =
                addresses.flat_map(|(address, _)| [Some(&address.path), address.link.as_ref()]);
            let folders = paths.flatten().filter_map(|path| path.parent());
            let has_new = self.folders.watch(folders);
            for listener in &mut self.all {
                listener.mend(&self.stop, &self.log);
            }
            // New folders may have changed before they were watched.
            if !has_new {
                break;
            }
        }
    }

    /// Waits until all listeners have stopped, which `stop` causes, and removes
    /// the sockets.
    pub(crate) async fn end(self) {
        for listener in self.all {
            if let Some(task) = listener.task {
                let _ = task.await;
            }
        }
    }
}
