//! Entries sent to the journal.

use std::{
    fs::File,
    io::{self, IoSlice, Write},
    mem::MaybeUninit,
    os::{fd::AsFd, unix::net::UnixDatagram},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::Errno,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};

use super::settings::{JOURNAL_SOCKET, JournalPayloads, JournalSettings};
use crate::{
    Transport, TransportError,
    socket::datagram::{DatagramAddress, Datagrams},
};

/// Fields of an entry besides its message: severity "informational" and the
/// name of the program.
const MESSAGE_FIELDS: &[u8] = b"PRIORITY=6\nSYSLOG_IDENTIFIER=fantail\n";

/// Sends entries to the systemd journal.
#[derive(Debug)]
pub struct JournalTransport {
    socket: Datagrams,
    payloads: JournalPayloads,
    entry: Vec<u8>,
}

impl JournalTransport {
    /// Returns a transport that connects with its first payload.
    #[must_use]
    pub fn new(settings: JournalSettings) -> Self {
        let path = settings.path.unwrap_or_else(|| JOURNAL_SOCKET.into());
        Self {
            socket: Datagrams::new(DatagramAddress::Unix(path)),
            payloads: settings.payloads,
            entry: Vec::new(),
        }
    }
}

impl Transport for JournalTransport {
    fn send(&mut self, payload: &[u8]) -> Result<(), TransportError> {
        let entry = match self.payloads {
            JournalPayloads::Entries => payload,
            JournalPayloads::Messages => {
                self.entry.clear();
                self.entry.extend_from_slice(b"MESSAGE\n");
                let length = payload.len() as u64;
                self.entry.extend_from_slice(&length.to_le_bytes());
                self.entry.extend_from_slice(payload);
                self.entry.push(b'\n');
                self.entry.extend_from_slice(MESSAGE_FIELDS);
                &self.entry
            }
        };
        let Err(error) = self.socket.send(entry) else {
            return Ok(());
        };
        let code = error.io_error().raw_os_error();
        let is = |errno: Errno| code == Some(errno.raw_os_error());
        if !is(Errno::MSGSIZE) && !is(Errno::NOBUFS) {
            return Err(error);
        }
        match self.socket.unix()? {
            Some(socket) => send_memory(socket, entry).map_err(TransportError::writing),
            None => Err(error),
        }
    }

    fn reopen(&mut self) -> Result<(), TransportError> {
        self.socket.close();
        Ok(())
    }
}

/// Sends an entry as a descriptor. The journal accepts only sealed memory, which
/// cannot change while it is read.
fn send_memory(socket: &UnixDatagram, entry: &[u8]) -> io::Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut memory = File::from(memfd_create("journal-entry", flags)?);
    memory.write_all(entry)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&memory, seals)?;
    let descriptors = [memory.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    sendmsg(
        socket,
        &[IoSlice::new(&[])],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(())
}
