//! Addresses of sockets: from the flags, otherwise from `service stats`,
//! otherwise Dovecot's defaults.

use std::{
    ffi::OsStr,
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use fantail_config::{Settings, Spanned, StatsService, UnixListener};
use fantail_transport::internal;
use nix::unistd::geteuid;

use crate::{ServerOptions, socket::login_link, socket::sockets::SocketAddress};

/// The folder of Dovecot's sockets in its packages.
const BASE_DIR: &str = "/run/dovecot";

/// All sockets of a server.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) base_dir: PathBuf,
    pub(crate) writers: Vec<SocketAddress>,
    pub(crate) readers: Vec<SocketAddress>,
    pub(crate) http: Vec<SocketAddr>,
    pub(crate) http_socket: Option<SocketAddress>,
}

impl Addresses {
    /// Returns the addresses of these options and settings.
    pub(crate) fn new(options: &ServerOptions, settings: &Settings) -> io::Result<Self> {
        let base_dir = base_dir(settings.base_dir.as_ref());
        let address = |name: &str, flag: &Option<PathBuf>, mode: Option<u32>| {
            let listener = listener(&settings.stats, base_dir, name);
            let path = flag.clone().unwrap_or_else(|| base_dir.join(name));
            socket_address(path, listener, mode, &DefaultOwner::of(name, settings))
        };
        let mode = options.writer_mode;
        let mut writers = vec![address(WRITER, &options.writer, mode)?];
        if options.writer.is_none() && options.login_writer {
            // Login processes have no access outside the folder `login`.
            let known = address(LOGIN_WRITER, &None, mode)?;
            writers.push(SocketAddress {
                path: login_link::socket_of(&known.path),
                link: Some(known.path),
                ..known
            });
        }
        let reader = address(READER, &options.reader, options.reader_mode)?;
        Ok(Self {
            base_dir: base_dir.to_owned(),
            writers,
            readers: vec![reader],
            http: match options.http {
                Some(address) => vec![address],
                None => http(settings)?,
            },
            http_socket: options
                .http_access
                .socket
                .clone()
                .map(|path| SocketAddress {
                    path,
                    link: None,
                    mode: 0o600,
                    user: None,
                    group: None,
                }),
        })
    }
}

/// The sockets of Dovecot's stats service, below `base_dir`.
pub(crate) const WRITER: &str = "stats-writer";
pub(crate) const LOGIN_WRITER: &str = "login/stats-writer";
pub(crate) const READER: &str = "stats-reader";

/// The owner and permissions of a socket of Dovecot without settings.
struct DefaultOwner {
    mode: u32,
    user: Option<String>,
    group: Option<String>,
}

impl DefaultOwner {
    fn of(name: &str, settings: &Settings) -> Self {
        let named = |setting: &Option<Spanned<Vec<u8>>>, default: &str| {
            let given = setting.as_ref().map(|name| text(&name.value));
            Some(given.unwrap_or_else(|| default.to_owned()))
        };
        match name {
            WRITER => Self {
                mode: 0o660,
                user: None,
                group: named(&settings.internal_group, "dovecot"),
            },
            LOGIN_WRITER => Self {
                mode: 0o600,
                user: named(&settings.login_user, "dovenull"),
                group: None,
            },
            _ => Self {
                mode: 0o600,
                user: None,
                group: None,
            },
        }
    }
}

/// Returns `base_dir`, by default the folder of Dovecot's packages.
pub(crate) fn base_dir(setting: Option<&Spanned<Vec<u8>>>) -> &Path {
    setting.map_or(Path::new(BASE_DIR), |dir| path(&dir.value))
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the listener of a configuration for a socket.
pub(crate) fn listener<'a>(
    stats: &'a StatsService,
    base_dir: &Path,
    name: &str,
) -> Option<&'a UnixListener> {
    let wanted = base_dir.join(name);
    let mut listeners = stats.unix_listeners.iter();
    listeners.find(|listener| base_dir.join(path(&listener.path.value)) == wanted)
}

/// Returns a socket with the owner and permissions of the flag, otherwise of
/// the configuration, otherwise the defaults.
fn socket_address(
    path: PathBuf,
    listener: Option<&UnixListener>,
    mode: Option<u32>,
    default: &DefaultOwner,
) -> io::Result<SocketAddress> {
    let configured = listener.and_then(|listener| listener.mode.as_ref());
    // With mode 0, Dovecot leaves the socket to this server.
    let configured = configured.map(|mode| mode.value).filter(|mode| *mode != 0);
    let name = |value: Option<&Spanned<Vec<u8>>>| {
        let value = value.map(|name| text(&name.value));
        value.filter(|name| !name.is_empty())
    };
    let user = name(listener.and_then(|listener| listener.user.as_ref()));
    let group = name(listener.and_then(|listener| listener.group.as_ref()));
    // Only root may change owners. An owner that a setting names must exist;
    // Dovecot's default accounts are missing on a host without Dovecot.
    let default_id = |name: &Option<String>, find: fn(&str) -> io::Result<u32>| {
        let name = name.as_ref().filter(|_| geteuid().is_root());
        name.and_then(|name| find(name).ok())
    };
    Ok(SocketAddress {
        path,
        link: None,
        mode: mode.or(configured).unwrap_or(default.mode),
        user: match user {
            Some(name) => Some(user_id(&name)?),
            None => default_id(&default.user, user_id),
        },
        group: match group {
            Some(name) => Some(group_id(&name)?),
            None => default_id(&default.group, group_id),
        },
    })
}

fn user_id(name: &str) -> io::Result<u32> {
    internal::user_id(name)?.ok_or_else(|| unknown("user", name))
}

fn group_id(name: &str) -> io::Result<u32> {
    internal::group_id(name)?.ok_or_else(|| unknown("group", name))
}

fn unknown(what: &str, name: impl fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("the system knows no {what} called {name}"),
    )
}

/// Returns the addresses of `inet_listener http`.
pub(crate) fn http(settings: &Settings) -> io::Result<Vec<SocketAddr>> {
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

#[cfg(test)]
mod tests {
    use fantail_config::load_text;

    use super::*;
    use crate::Log;

    /// Checks the addresses for this `service stats`, each with its
    /// permissions.
    fn check(service: &str, change: impl FnOnce(&mut ServerOptions), expected: &str) {
        let text = format!("base_dir = /base\nservice stats {{\n{service}}}\n");
        let text = format!("{OWNERS}{text}");
        let loaded = load_text("x", text, &fantail_config::LoadOptions::default());
        let settings = loaded.accept().unwrap().settings;
        let mut options = ServerOptions::new("x", Log::new(|_| {}));
        change(&mut options);
        let found = match Addresses::new(&options, &settings) {
            Err(error) => error.to_string(),
            Ok(addresses) => {
                let sockets = addresses.writers.iter().chain(&addresses.readers);
                let sockets = sockets.map(|address| {
                    let owner = address
                        .user
                        .map_or(String::new(), |id| format!(" user {id}"));
                    let group = address
                        .group
                        .map_or(String::new(), |id| format!(" group {id}"));
                    format!(
                        "{} {:o}{owner}{group}",
                        address.path.display(),
                        address.mode
                    )
                });
                let http = addresses.http.iter().map(ToString::to_string);
                sockets.chain(http).collect::<Vec<_>>().join(", ")
            }
        };
        assert_eq!(found, expected);
    }

    /// Numbers of accounts, which need not exist.
    const OWNERS: &str = "default_internal_group = 7\ndefault_login_user = 8\n";

    const DEFAULT: &str = "/base/stats-writer 660 group 7, \
        /base/login/fantail/stats-writer 600 user 8, /base/stats-reader 600";

    #[test]
    fn sockets_have_the_addresses_of_dovecot() {
        if !geteuid().is_root() {
            fantail_testkit::skip("only root can give files away");
            return;
        }
        check("", |_| {}, DEFAULT);
        let off = "  unix_listener stats-writer {\n    mode = 0\n  }\n";
        check(off, |_| {}, DEFAULT);
        let owned = "  unix_listener /base/stats-reader {\n    mode = 0640\n    user = root\n  }\n";
        check(
            owned,
            |_| {},
            &DEFAULT.replace("reader 600", "reader 640 user 0"),
        );
        let nobody = owned.replace("root", "no-such-user");
        check(
            &nobody,
            |_| {},
            "the system knows no user called no-such-user",
        );
    }

    #[test]
    fn flags_override_the_configuration() {
        let change = |options: &mut ServerOptions| {
            options.writer = Some("/w".into());
            options.writer_mode = Some(0o620);
            options.reader = Some("/r".into());
            options.http = Some(([127, 0, 0, 1], 1).into());
        };
        let http = "  inet_listener http {\n    port = 9900\n  }\n";
        check(http, change, "/w 620 group 7, /r 600, 127.0.0.1:1");
        let never = |options: &mut ServerOptions| options.login_writer = false;
        check(
            "",
            never,
            "/base/stats-writer 660 group 7, /base/stats-reader 600",
        );
    }

    #[test]
    fn scrapes_are_answered_on_loopback_by_default() {
        let check_http = |lines: &str, expected: &str| {
            let http = format!("  inet_listener http {{\n{lines}  }}\n");
            check(&http, |_| {}, &format!("{DEFAULT}{expected}"));
        };
        check_http("    port = 9900\n", ", 127.0.0.1:9900");
        check_http("    port = 0\n", "");
        check_http("    port = 9900\n    address = *\n", ", 0.0.0.0:9900");
        check_http(
            "    port = 9900\n    address = 10.0.0.1, ::1\n",
            ", 10.0.0.1:9900, [::1]:9900",
        );
    }
}
