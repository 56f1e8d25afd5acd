//! Where a server listens: flags first, then `service stats`, then Dovecot's
//! defaults.

use std::{
    ffi::OsStr,
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use fantail_config::{Settings, UnixListener};
use nix::unistd::{Group, User};

use crate::{Options, sockets::Place};

/// Where Dovecot's packages keep its sockets.
const BASE_DIR: &str = "/run/dovecot";

/// All sockets of a server.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) base_dir: PathBuf,
    pub(crate) writers: Vec<Place>,
    pub(crate) readers: Vec<Place>,
    pub(crate) http: Vec<SocketAddr>,
}

impl Places {
    /// Where to listen by these options and settings.
    pub(crate) fn new(options: &Options, settings: &Settings) -> io::Result<Self> {
        let base_dir = settings.base_dir.as_ref();
        let base_dir = base_dir.map_or(Path::new(BASE_DIR), |dir| path(&dir.value));
        let place = |name: &str, flag: &Option<PathBuf>, mode: Option<u32>, default| {
            let listener = listener(settings, base_dir, name);
            let path = flag.clone().unwrap_or_else(|| base_dir.join(name));
            new_place(path, listener, mode, default)
        };
        let mode = options.writer_mode;
        let mut writers = vec![place("stats-writer", &options.writer, mode, 0o666)?];
        if options.writer.is_none() {
            // Login processes see nothing outside this folder.
            writers.push(place("login/stats-writer", &None, mode, 0o666)?);
        }
        let reader = place("stats-reader", &options.reader, options.reader_mode, 0o600)?;
        Ok(Self {
            base_dir: base_dir.to_owned(),
            writers,
            readers: vec![reader],
            http: match options.http {
                Some(address) => vec![address],
                None => http(settings)?,
            },
        })
    }
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// The listener that the configuration has for a socket.
fn listener<'a>(settings: &'a Settings, base_dir: &Path, name: &str) -> Option<&'a UnixListener> {
    let wanted = base_dir.join(name);
    let mut listeners = settings.stats.unix_listeners.iter();
    listeners.find(|listener| base_dir.join(path(&listener.path.value)) == wanted)
}

fn new_place(
    path: PathBuf,
    listener: Option<&UnixListener>,
    mode: Option<u32>,
    default: u32,
) -> io::Result<Place> {
    let configured = listener.and_then(|listener| listener.mode.as_ref());
    // With 0 Dovecot makes no such socket: then it is ours.
    let configured = configured.map(|mode| mode.value).filter(|mode| *mode != 0);
    let name = |value: Option<&fantail_config::Spanned<Vec<u8>>>| {
        let value = value.map(|name| String::from_utf8_lossy(&name.value).into_owned());
        value.filter(|name| !name.is_empty())
    };
    let user = name(listener.and_then(|listener| listener.user.as_ref()));
    let group = name(listener.and_then(|listener| listener.group.as_ref()));
    Ok(Place {
        path,
        mode: mode.or(configured).unwrap_or(default),
        user: user.map(|name| user_id(&name)).transpose()?,
        group: group.map(|name| group_id(&name)).transpose()?,
    })
}

fn user_id(name: &str) -> io::Result<u32> {
    let found = User::from_name(name)?;
    let id = found.map(|user| user.uid.as_raw());
    id.or(name.parse().ok())
        .ok_or_else(|| unknown("user", name))
}

fn group_id(name: &str) -> io::Result<u32> {
    let found = Group::from_name(name)?;
    let id = found.map(|group| group.gid.as_raw());
    id.or(name.parse().ok())
        .ok_or_else(|| unknown("group", name))
}

fn unknown(what: &str, name: impl fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("no {what} is called {name}"),
    )
}

/// The `inet_listener http`.
fn http(settings: &Settings) -> io::Result<Vec<SocketAddr>> {
    let mut listeners = settings.stats.inet_listeners.iter();
    let found = listeners.find(|listener| listener.name.value == b"http");
    let port = found.and_then(|listener| Some((listener, listener.port.as_ref()?.value)));
    let Some((listener, port)) = port.filter(|(_, port)| *port != 0) else {
        return Ok(Vec::new());
    };
    if listener.addresses.is_empty() {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    }
    let addresses = listener.addresses.iter().map(|address| {
        let text = String::from_utf8_lossy(&address.value);
        let text = text.trim_start_matches('[').trim_end_matches(']');
        let ip: IpAddr = match text {
            "*" => Ipv4Addr::UNSPECIFIED.into(),
            text => text.parse().map_err(|_| unknown("address", text))?,
        };
        Ok(SocketAddr::from((ip, port)))
    });
    addresses.collect()
}
