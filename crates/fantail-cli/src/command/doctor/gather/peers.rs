//! The connections of Unix sockets, from the kernel's socket diagnostics
//! (`sock_diag(7)`).
//!
//! `/proc/net/unix` has neither the peer of a connection nor the present path of a
//! socket that was renamed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
    sockopt,
};

use super::PATIENCE;

/// A request for all listening and connected Unix sockets, with their files and peers:
/// `nlmsghdr` and `unix_diag_req`.
const REQUEST: [u32; 10] = [
    // The length.
    40,
    // SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP.
    half_words(20, 0x301),
    // The sequence number and the port.
    1,
    0,
    // AF_UNIX, any protocol.
    half_words(1, 0),
    // The states.
    1 << ESTABLISHED | 1 << LISTEN,
    // Any inode.
    0,
    // UDIAG_SHOW_VFS | UDIAG_SHOW_PEER.
    0x2 | 0x4,
    // Any cookie.
    u32::MAX,
    u32::MAX,
];

/// Two fields of 16 bits as one word, in the order of this machine.
const fn half_words(first: u16, second: u16) -> u32 {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// The size of a read: the kernel sends at most this much in one message.
const MAX_READ_BYTES: usize = 32 << 10;

/// The maximum number of reads: enough for a million sockets.
const MAX_READS: usize = 4_096;

/// The lengths of `nlmsghdr` and of `unix_diag_msg`.
const HEADER_BYTES: usize = 16;
const SOCKET_BYTES: usize = 16;

/// The states of sockets, which have the names of those of TCP.
const ESTABLISHED: u8 = 1;
const LISTEN: u8 = 10;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_PEER: u16 = 2;

/// All Unix sockets that have a path, and their connections. Files are known by their
/// inodes: file systems may share a number, but the device differs from that of `stat`
/// on some.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// The inodes of the connected sockets, by that of the socket's file.
    peers: BTreeMap<u32, BTreeSet<u64>>,
    /// The inode of the listening socket, by that of its file.
    listeners: BTreeMap<u32, u64>,
}

impl Connections {
    /// Asks the kernel.
    ///
    /// # Errors
    /// The kernel has no socket diagnostics, or does not answer.
    pub(super) fn read() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let socket = socket_with(family, kind, flags, Some(netlink::SOCK_DIAG))?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        let request: Vec<u8> = REQUEST.iter().flat_map(|word| word.to_ne_bytes()).collect();
        send(&socket, &request, SendFlags::empty())?;
        let mut connections = Self::default();
        let mut buffer = vec![0; MAX_READ_BYTES];
        for _ in 0..MAX_READS {
            let (read, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            if connections.extend(buffer.get(..read).unwrap_or_default())? {
                return Ok(connections);
            }
        }
        Err(io::Error::other("the list of sockets does not end"))
    }

    /// Returns the inodes of the sockets that are connected to a path.
    pub(super) fn peers(&self, path: &Path) -> BTreeSet<u64> {
        let peers = inode(path).and_then(|inode| self.peers.get(&inode));
        peers.cloned().unwrap_or_default()
    }

    /// Returns the inode of the socket that listens at a path.
    pub(super) fn listener(&self, path: &Path) -> Option<u64> {
        self.listeners.get(&inode(path)?).copied()
    }

    /// Adds the connections of an answer; returns whether it is the last.
    fn extend(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        while let (Some(length), Some(kind)) = (word(bytes, 0), half_word(bytes, 4)) {
            match kind {
                NLMSG_DONE => return Ok(true),
                NLMSG_ERROR => {
                    let code = word(bytes, HEADER_BYTES).unwrap_or_default().cast_signed();
                    return Err(io::Error::from_raw_os_error(code.saturating_neg()));
                }
                _ => {}
            }
            let length = length as usize;
            let Some(message) = bytes.get(HEADER_BYTES..length) else {
                return Err(io::Error::other("the list of sockets is cut off"));
            };
            self.add(message);
            bytes = bytes.get(aligned(length)..).unwrap_or_default();
        }
        Ok(false)
    }

    /// Adds a socket if it has a file.
    fn add(&mut self, message: &[u8]) -> Option<()> {
        // After the family and the type of the socket.
        let (state, inode) = (*message.get(2)?, word(message, 4)?);
        let (file, peer) = attributes(message)?;
        match (state, peer) {
            (LISTEN, _) => {
                self.listeners.insert(file, inode.into());
            }
            (ESTABLISHED, Some(peer)) => {
                self.peers.entry(file).or_default().insert(peer);
            }
            _ => {}
        }
        Some(())
    }
}

/// Returns the inode of a file in 32 bits, as in the kernel's answers.
fn inode(path: &Path) -> Option<u32> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "truncated by the kernel, too"
    )]
    let inode = fs::metadata(path).ok()?.ino() as u32;
    Some(inode)
}

/// Returns the inodes of a socket's file and of its peer; `None` if it has no file.
fn attributes(message: &[u8]) -> Option<(u32, Option<u64>)> {
    let mut attributes = message.get(SOCKET_BYTES..)?;
    let (mut file, mut peer) = (None, None);
    while let (Some(length), Some(kind)) = (half_word(attributes, 0), half_word(attributes, 2)) {
        let length = usize::from(length);
        let value = attributes.get(4..length)?;
        match kind {
            UNIX_DIAG_VFS => file = word(value, 0),
            // 0: the peer has closed its socket.
            UNIX_DIAG_PEER => peer = word(value, 0).filter(|peer| *peer != 0).map(u64::from),
            _ => {}
        }
        attributes = attributes.get(aligned(length)..).unwrap_or_default();
    }
    Some((file?, peer))
}

const fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

fn half_word(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::{super::process, *};

    #[test]
    fn a_connection_has_this_process_at_its_other_end() {
        let folder = tempfile::tempdir().unwrap();
        let [meant, other] = ["meant", "other"].map(|name| folder.path().join(name));
        let listeners = [&meant, &other].map(|path| UnixListener::bind(path).unwrap());
        let connect = |path: &Path, at: usize| {
            let stream = UnixStream::connect(path).unwrap();
            (stream, listeners[at].accept().unwrap())
        };
        let _other = connect(&other, 1);
        assert_eq!(Connections::read().unwrap().peers(&meant).len(), 0);
        let _first = connect(&meant, 0);
        // A socket is known by its file, not by the name that it was bound to.
        let renamed = folder.path().join("renamed");
        fs::rename(&meant, &renamed).unwrap();
        let (second, _accepted) = connect(&renamed, 0);
        let peers = Connections::read().unwrap().peers(&renamed);
        assert_eq!(peers.len(), 2);
        let sockets = process::socket_inodes(std::process::id()).unwrap();
        assert!(sockets.is_superset(&peers), "{peers:?} {sockets:?}");
        let listener = Connections::read().unwrap().listener(&renamed).unwrap();
        assert!(sockets.contains(&listener) && !peers.contains(&listener));
        drop(second);
        assert_eq!(Connections::read().unwrap().peers(&renamed).len(), 1);
    }

    #[test]
    fn answers_that_are_cut_off_are_refused() {
        let mut connections = Connections::default();
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&40_u32.to_ne_bytes());
        assert!(connections.extend(&bytes).is_err());
        bytes[4..6].copy_from_slice(&NLMSG_DONE.to_ne_bytes());
        assert!(connections.extend(&bytes).unwrap());
        assert!(!connections.extend(&[]).unwrap());
    }
}
