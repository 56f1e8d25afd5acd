//! Where messages go, and what stands before them.

use std::{path::PathBuf, time::Duration};

/// A syslog receiver, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSettings {
    /// Where it listens.
    pub address: SyslogAddress,
    /// How messages begin.
    pub protocol: SyslogProtocol,
    /// The part of the system that messages come from; mail by default.
    pub facility: Facility,
    /// How urgent they are; informational by default.
    pub severity: Severity,
    /// The name of the program, `fantail` by default. Characters other than
    /// printable ASCII become `_`.
    pub program: Vec<u8>,
    /// What payloads are.
    pub payloads: SyslogPayloads,
    /// How long connecting by TCP may take; `None` for any time.
    pub connect_timeout: Option<Duration>,
}

impl SyslogSettings {
    /// Returns the default settings for a receiver: RFC 3164 to a local
    /// socket, RFC 5424 to the network.
    #[must_use]
    pub fn new(address: SyslogAddress) -> Self {
        Self {
            protocol: address.default_protocol(),
            address,
            facility: Facility::Mail,
            severity: Severity::Info,
            program: b"fantail".to_vec(),
            payloads: SyslogPayloads::Messages,
            connect_timeout: Some(Duration::from_millis(250)),
        }
    }
}

/// Where a syslog receiver listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A Unix datagram socket: `unix:/dev/log`.
    Unix(PathBuf),
    /// `udp:loghost:514`
    Udp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// `tcp:loghost:514`; messages are counted (RFC 6587, 3.4.1).
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl SyslogAddress {
    /// Returns the protocol that receivers of this kind understand: RFC 3164
    /// for a local socket, RFC 5424 for the network.
    #[must_use]
    pub const fn default_protocol(&self) -> SyslogProtocol {
        match self {
            Self::Unix(_) => SyslogProtocol::Rfc3164,
            Self::Udp { .. } | Self::Tcp { .. } => SyslogProtocol::Rfc5424,
        }
    }
}

/// How messages begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyslogProtocol {
    /// The old way. Its time has neither year nor zone: it is in UTC, and
    /// local receivers do not look at it. To a Unix socket no host is given,
    /// as the C library does it.
    Rfc3164,
    /// The standard, with a time of microseconds.
    Rfc5424,
}

/// What payloads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SyslogPayloads {
    /// Messages.
    #[default]
    Messages,
    /// Structured data of RFC 5424, a space, and the message. Data that does
    /// not fit into the longest message is left out; RFC 3164 has none.
    Structured,
}

macro_rules! numbered {
    ($(#[doc = $doc:literal])+ $type:ident: $($name:ident = $text:literal, $number:literal;)+) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $(#[doc = $text] $name,)+
        }

        impl $type {
            /// All with their names.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($text, Self::$name),)+];

            /// Its number in the protocol.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)+ }
            }

            /// Returns its name in syslog's configuration files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The one of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                let mut names = Self::NAMES.iter();
                names.find(|(known, _)| *known == name).map(|(_, one)| *one)
            }
        }
    };
}

numbered! {
    /// The part of the system that a message comes from.
    Facility:
    User = "user", 1;
    Mail = "mail", 2;
    Daemon = "daemon", 3;
    Auth = "auth", 4;
    AuthPriv = "authpriv", 10;
    Local0 = "local0", 16;
    Local1 = "local1", 17;
    Local2 = "local2", 18;
    Local3 = "local3", 19;
    Local4 = "local4", 20;
    Local5 = "local5", 21;
    Local6 = "local6", 22;
    Local7 = "local7", 23;
}

numbered! {
    /// How urgent a message is.
    Severity:
    Emergency = "emerg", 0;
    Alert = "alert", 1;
    Critical = "crit", 2;
    Error = "err", 3;
    Warning = "warning", 4;
    Notice = "notice", 5;
    Info = "info", 6;
    Debug = "debug", 7;
}
