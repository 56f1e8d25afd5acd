//! Unix and network sockets, and the transport `unix`.

pub(crate) mod datagram;
pub(crate) mod stream;
pub(crate) mod unix;
