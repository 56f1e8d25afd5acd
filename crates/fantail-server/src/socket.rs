//! The Unix sockets of a server: their addresses, accepting, and the stats-reader
//! protocol.

pub(crate) mod accept;
pub(crate) mod addresses;
pub(crate) mod dump_writer;
pub(crate) mod error;
pub(crate) mod listeners;
pub(crate) mod login_link;
pub(crate) mod past;
mod peer;
pub(crate) mod readers;
mod recording;
pub(crate) mod rival_watch;
pub(crate) mod rivals;
pub(crate) mod seats;
pub(crate) mod sockets;
pub(crate) mod tap;
pub(crate) mod vacancy;
