//! The transport `syslog`: RFC 5424 and RFC 3164 over a Unix datagram socket,
//! UDP or TCP.
//!
//! The settings are always available, the transport with the feature `syslog`.

#[cfg(feature = "syslog")]
mod header;
#[cfg(feature = "syslog")]
mod send;
mod settings;

#[cfg(feature = "syslog")]
pub use self::send::SyslogTransport;
pub use self::settings::{
    Facility, SyslogAddress, SyslogPayloads, SyslogProtocol, SyslogSettings, SyslogSeverity,
};

/// Default limit of a message in bytes, as in rsyslog.
pub const SYSLOG_MESSAGE_BYTES: usize = 8 << 10;
