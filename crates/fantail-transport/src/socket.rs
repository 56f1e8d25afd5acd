//! Unix and network sockets, and the transport `unix`.

#[cfg(any(feature = "journal", feature = "syslog"))]
pub(crate) mod datagram;
pub(crate) mod stream;
pub(crate) mod unix;
