//! Settings of the transport `syslog`.

use std::{path::PathBuf, time::Duration};

/// Settings of the transport `syslog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSettings {
    /// Address of the receiver.
    pub address: SyslogAddress,
    /// Format of the header.
    pub protocol: SyslogProtocol,
    /// Facility of the messages, by default mail.
    pub facility: Facility,
    /// SyslogSeverity of the messages, by default informational.
    pub severity: SyslogSeverity,
    /// Name of the program, by default `fantail`. Characters other than
    /// printable ASCII become `_`.
    pub program: Vec<u8>,
    /// Whether messages have the number of the process after the program; by
    /// default they do.
    pub process_id: bool,
    /// The kind of the payloads.
    pub payloads: SyslogPayloads,
    /// Time limit for connecting by TCP; `None` for no limit.
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
            severity: SyslogSeverity::Info,
            program: b"fantail".to_vec(),
            process_id: true,
            payloads: SyslogPayloads::Messages,
            connect_timeout: Some(Duration::from_millis(250)),
        }
    }
}

/// Address of a syslog receiver.
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
    /// `tcp:loghost:514`; each message is preceded by its length (RFC 6587,
    /// section 3.4.1).
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

/// Format of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyslogProtocol {
    /// The old format. Its time is local, without year and zone; local receivers
    /// ignore it. Messages to a Unix socket have no host
    /// name, as those of the C library.
    Rfc3164,
    /// The standard, with a time in microseconds.
    Rfc5424,
}

/// The kind of the payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SyslogPayloads {
    /// Messages.
    #[default]
    Messages,
    /// Structured data of RFC 5424, a space, and the message. Structured data is
    /// left out if it exceeds the limit of a message, and with RFC 3164.
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
            /// All values with their names.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($text, Self::$name),)+];

            /// Returns its number in the protocol.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)+ }
            }

            /// Returns its name in syslog's configuration files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Returns the value with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                let mut names = Self::NAMES.iter();
                names.find(|(known, _)| *known == name).map(|(_, one)| *one)
            }
        }
    };
}

numbered! {
    /// The facility: the part of the system that sends a message.
    ///
    /// ```
    /// use fantail_transport::{Facility, SyslogSeverity};
    ///
    /// assert_eq!(Facility::from_name("mail"), Some(Facility::Mail));
    /// // RFC 5424: mail is 2, informational is 6.
    /// assert_eq!(Facility::Mail.number(), 2);
    /// assert_eq!(SyslogSeverity::from_name("info").map(SyslogSeverity::number), Some(6));
    /// ```
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
    /// The severity of a message.
    SyslogSeverity:
    Emergency = "emerg", 0;
    Alert = "alert", 1;
    Critical = "crit", 2;
    Error = "err", 3;
    Warning = "warning", 4;
    Notice = "notice", 5;
    Info = "info", 6;
    Debug = "debug", 7;
}
