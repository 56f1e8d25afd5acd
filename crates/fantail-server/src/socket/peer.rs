//! The process at the other end of a socket.

use std::fmt;

use tokio::net::UnixStream;

/// The process that connected, if the system knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pid: Option<i32>,
    uid: Option<u32>,
}

impl Peer {
    pub(crate) fn of(stream: &UnixStream) -> Self {
        let credentials = stream.peer_cred().ok();
        Self {
            pid: credentials.and_then(|peer| peer.pid()),
            uid: credentials.map(|peer| peer.uid()),
        }
    }

    /// Whether it runs as root or as the user of this process: files that it has this
    /// process create give it no new rights.
    pub(crate) fn is_trusted(&self) -> bool {
        let own = nix::unistd::geteuid().as_raw();
        self.uid.is_some_and(|uid| uid == 0 || uid == own)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, self.uid) {
            (Some(pid), Some(uid)) => write!(f, "a client (pid={pid}, uid={uid})"),
            _ => f.write_str("a client"),
        }
    }
}
