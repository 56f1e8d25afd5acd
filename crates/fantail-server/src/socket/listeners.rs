//! The sockets of a running server.

use std::{
    fs::DirBuilder,
    io,
    net::{SocketAddr, TcpListener as StdTcpListener},
    os::unix::{fs::DirBuilderExt as _, net::UnixListener as StdUnixListener},
    path::Path,
};

use listenfd::ListenFd;
use tokio::{net::UnixListener, sync::watch, task::JoinHandle};

use crate::{
    Log,
    socket::accept::{Purpose, accept},
    socket::addresses::Addresses,
    socket::sockets::{Bound, Place, bind},
};

/// Sockets that were bound, or handed over by a service manager, before
/// privileges are dropped.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    writers: Vec<Socket>,
    readers: Vec<Socket>,
    pub(crate) http: Vec<StdTcpListener>,
}

/// A socket, and where it is to be, unless it was handed over.
type Socket = (Option<StdUnixListener>, Option<(Place, Option<Bound>)>);

impl Sockets {
    /// Takes what was handed over, and binds what is missing of the rest.
    pub(crate) fn open(places: &Addresses, activated: bool, log: &Log) -> io::Result<Self> {
        let mut sockets = if activated {
            Self::handed_over(log)?
        } else {
            Self::default()
        };
        let mut folder = DirBuilder::new();
        match folder.mode(0o755).create(&places.base_dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(at(&places.base_dir, &error));
            }
            _ => {}
        }
        if sockets.writers.is_empty() {
            sockets.writers = bind_all(&places.writers)?;
        }
        if sockets.readers.is_empty() {
            sockets.readers = bind_all(&places.readers)?;
        }
        if sockets.http.is_empty() {
            for address in &places.http {
                let listener = StdTcpListener::bind(address)
                    .map_err(|error| named(&address.to_string(), &error))?;
                listener.set_nonblocking(true)?;
                sockets.http.push(listener);
            }
        }
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
                        "a socket was handed over that is called neither stats-writer nor stats-reader"
                    )),
                }
            } else if let Ok(Some(listener)) = given.take_tcp_listener(at) {
                listener.set_nonblocking(true)?;
                sockets.http.push(listener);
            }
        }
        Ok(sockets)
    }

    /// The addresses that scrapes come to.
    pub(crate) fn http_addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.http.iter();
        listeners
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Begins to accept.
    pub(crate) fn serve(
        self,
        writer: &Purpose,
        reader: &Purpose,
        stop: &watch::Receiver<bool>,
        log: &Log,
    ) -> io::Result<Listeners> {
        let mut all = Vec::new();
        for (sockets, purpose) in [(self.writers, writer), (self.readers, reader)] {
            for (listener, place) in sockets {
                let mut one = Listener {
                    place,
                    purpose: purpose.clone(),
                    task: None,
                    failed: false,
                };
                if let Some(listener) = listener {
                    one.accept(listener, stop, log)?;
                }
                all.push(one);
            }
        }
        Ok(Listeners {
            all,
            stop: stop.clone(),
            log: log.clone(),
        })
    }
}

fn bind_all(places: &[Place]) -> io::Result<Vec<Socket>> {
    let bound = places.iter().map(|place| match bind(place) {
        Ok((listener, bound)) => Ok((Some(listener), Some((place.clone(), Some(bound))))),
        // Its folder is not there yet: later.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((None, Some((place.clone(), None))))
        }
        Err(error) => Err(at(&place.path, &error)),
    });
    bound.collect()
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    named(&path.display().to_string(), error)
}

fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {name}: {error}"))
}

/// The Unix sockets at work.
#[derive(Debug)]
pub(crate) struct Listeners {
    all: Vec<Listener>,
    stop: watch::Receiver<bool>,
    log: Log,
}

#[derive(Debug)]
struct Listener {
    place: Option<(Place, Option<Bound>)>,
    purpose: Purpose,
    task: Option<JoinHandle<()>>,
    /// It cannot be bound, which was said.
    failed: bool,
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
        if let Some(before) = self.task.replace(tokio::spawn(accepting)) {
            before.abort();
        }
        Ok(())
    }

    /// Binds anew what is not there, once its folder is.
    fn mend(&mut self, stop: &watch::Receiver<bool>, log: &Log) {
        let Some((place, bound)) = &mut self.place else {
            return;
        };
        match bound {
            Some(there) if !there.vanished() => {
                if let Err(error) = there.mend_link() {
                    log.say(format_args!("{}", at(&place.path, &error)));
                }
                return;
            }
            // Before the new one is there, which it must not take away.
            _ => *bound = None,
        }
        match bind(place) {
            Ok((listener, anew)) => {
                *bound = Some(anew);
                self.failed = false;
                if let Err(error) = self.accept(listener, stop, log) {
                    log.say(format_args!("cannot accept connections: {error}"));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    log.say(format_args!("{}", at(&place.path, &error)));
                }
            }
        }
    }
}

impl Listeners {
    /// Binds anew what is not there any more.
    pub(crate) fn mend(&mut self) {
        for listener in &mut self.all {
            listener.mend(&self.stop, &self.log);
        }
    }

    /// Waits until nobody accepts any more, which `stop` brings about; the
    /// sockets are gone then.
    pub(crate) async fn end(self) {
        for listener in self.all {
            if let Some(task) = listener.task {
                let _ = task.await;
            }
        }
    }
}
