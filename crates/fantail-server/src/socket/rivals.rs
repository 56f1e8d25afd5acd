//! The sockets that Dovecot would bind, too: it does not start while another
//! process has bound one of them.

use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use fantail_config::{DovecotService, Settings};

use crate::socket::addresses::{Addresses, LOGIN_WRITER, READER, WRITER, base_dir, listener};

/// The sockets and ports of a server that Dovecot's own configuration binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RivalError {
    /// Dovecot's sockets, by their names in `service stats`.
    sockets: Vec<&'static str>,
    /// The ports of its `inet_listener` blocks.
    ports: Vec<u16>,
    base_dir: PathBuf,
}

/// Checks that Dovecot binds none of the sockets and ports.
///
/// # Errors
/// Dovecot would bind some of them, by the files of the configuration that it
/// reads.
pub(crate) fn check(addresses: &Addresses, settings: &Settings) -> Result<(), RivalError> {
    let Some(dovecot) = &settings.dovecot else {
        return Ok(());
    };
    let base_dir = base_dir(dovecot.base_dir.as_ref());
    let all = addresses.writers.iter().chain(&addresses.readers);
    let paths: Vec<&Path> = all
        .map(|address| address.link.as_deref().unwrap_or(&address.path))
        .collect();
    let sockets = [WRITER, LOGIN_WRITER, READER].into_iter().filter(|name| {
        let mode = listener(&dovecot.stats, base_dir, name).and_then(|one| one.mode.as_ref());
        let is_left_alone = mode.is_some_and(|mode| mode.value == 0);
        !is_left_alone && paths.contains(&base_dir.join(name).as_path())
    });
    let error = RivalError {
        sockets: sockets.collect(),
        ports: ports(dovecot, &addresses.http),
        base_dir: base_dir.to_owned(),
    };
    match error.sockets.is_empty() && error.ports.is_empty() {
        true => Ok(()),
        false => Err(error),
    }
}

/// Returns the ports that both would bind.
fn ports(dovecot: &DovecotService, http: &[SocketAddr]) -> Vec<u16> {
    let listeners = dovecot.stats.inet_listeners.iter();
    let ports = listeners.filter_map(|listener| Some(listener.port.as_ref()?.value));
    ports
        .filter(|port| *port != 0 && http.iter().any(|address| address.port() == *port))
        .collect()
}

impl RivalError {
    /// The paths of the sockets.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let sockets = self.sockets.iter();
        sockets.map(|name| self.base_dir.join(name)).collect()
    }

    /// The message of a running server, which leaves the sockets to Dovecot.
    pub(crate) fn while_running(&self) -> String {
        let mut text = String::new();
        if !self.sockets.is_empty() {
            text += "sockets are left to Dovecot, whose events and dumps are not served here for \
                     now: ";
        }
        if !self.ports.is_empty() {
            text += "Dovecot does not start while this server listens on its port: ";
        }
        text + &self.binding()
    }

    /// What Dovecot binds, and the lines that keep it from that.
    fn binding(&self) -> String {
        let sockets = self.paths().into_iter();
        let sockets = sockets.map(|path| path.display().to_string());
        let ports = self.ports.iter().map(|port| format!("port {port}"));
        let all: Vec<String> = sockets.chain(ports).collect();
        let mut text = format!("its configuration binds {}", all.join(", "));
        if !self.sockets.is_empty() {
            text += "\nput this into Dovecot's configuration, and restart Dovecot:\n\n";
            text += "  service stats {\n";
            for name in &self.sockets {
                text += &format!("    unix_listener {name} {{\n      mode = 0\n    }}\n");
            }
            text += "  }\n";
        }
        if !self.ports.is_empty() {
            text += "\nmove `inet_listener http` of `service stats` from Dovecot's configuration \
                     to a file that only fantail reads, or choose another port with `--http`\n";
        }
        text
    }
}

impl fmt::Display for RivalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Dovecot would not start any more: {}\nto start all the same: --ignore-dovecot",
            self.binding()
        )
    }
}

impl Error for RivalError {}

#[cfg(test)]
mod tests {
    use fantail_config::{Memory, load};

    use super::*;
    use crate::{Log, ServerOptions};

    /// Checks the error of fantail, started with `fantail.conf`, for the
    /// `dovecot.conf` that it includes.
    #[track_caller]
    fn check_refused(dovecot: &str, fantail: &str, sockets: &[&'static str], ports: &[u16]) {
        let including = format!("!include /etc/dovecot/dovecot.conf\n{fantail}");
        let files = Memory::new()
            .with("/etc/dovecot/dovecot.conf", dovecot)
            .with("/etc/fantail/fantail.conf", including);
        let path = b"/etc/fantail/fantail.conf";
        let loaded = load(path, &files, &fantail_config::LoadOptions::default());
        let settings = loaded.accept().unwrap().settings;
        let options = ServerOptions::new("x", Log::new(|_| {}));
        let addresses = Addresses::new(&options, &settings).unwrap();
        let refused = check(&addresses, &settings).err();
        let found = refused.map_or((Vec::new(), Vec::new()), |error| {
            (error.sockets, error.ports)
        });
        assert_eq!(found, (sockets.to_vec(), ports.to_vec()));
    }

    fn left_alone(names: &[&str]) -> String {
        let listeners = names.iter();
        let listeners: String = listeners
            .map(|name| format!("  unix_listener {name} {{\n    mode = 0\n  }}\n"))
            .collect();
        format!("service stats {{\n{listeners}}}\n")
    }

    const ALL: [&str; 3] = [WRITER, LOGIN_WRITER, READER];

    #[test]
    fn dovecot_has_to_leave_every_socket_alone() {
        check_refused("", "", &ALL, &[]);
        check_refused(&left_alone(&ALL), "", &[], &[]);
        check_refused(&left_alone(&ALL[..1]), "", &ALL[1..], &[]);
        // Dovecot does not read fantail's own file.
        check_refused("", &left_alone(&ALL), &ALL, &[]);
        let base = format!("base_dir = /base\n{}", left_alone(&["/base/stats-writer"]));
        check_refused(&base, "", &ALL[1..], &[]);
    }

    #[test]
    fn sockets_elsewhere_are_no_matter() {
        check_refused("", "base_dir = /elsewhere\n", &[], &[]);
    }

    #[test]
    fn a_port_belongs_to_one_of_both() {
        let http = "service stats {\n  inet_listener http {\n    port = 9900\n  }\n}\n";
        let alone = left_alone(&ALL);
        check_refused(&format!("{alone}{http}"), "", &[], &[9900]);
        check_refused(&alone, http, &[], &[]);
    }

    #[test]
    fn the_message_has_the_block_to_paste() {
        let error = RivalError {
            sockets: vec![LOGIN_WRITER],
            ports: vec![9900],
            base_dir: "/run/dovecot".into(),
        };
        let said = error.to_string();
        assert!(
            said.contains(
                "  service stats {\n    unix_listener login/stats-writer {\n      mode = 0\n    }\n  }\n"
            ),
            "{said}"
        );
        assert!(said.contains("/run/dovecot/login/stats-writer, port 9900\n"));
    }
}
