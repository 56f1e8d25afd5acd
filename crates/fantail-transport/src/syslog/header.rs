//! Headers of syslog messages.

use std::io::Write;

use jiff::{Timestamp, tz::TimeZone};

use super::settings::{SyslogAddress, SyslogProtocol, SyslogSettings};

/// Limit of RFC 5424.
const MAX_HOSTNAME_BYTES: usize = 255;
/// Limit of RFC 5424.
const MAX_PROGRAM_BYTES: usize = 48;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The constant parts of a header.
#[derive(Debug)]
pub(super) struct Header {
    protocol: SyslogProtocol,
    priority: u8,
    /// Zone of times in RFC 3164.
    zone: TimeZone,
    /// The bytes from the host name to the message or its structured data.
    fixed: Vec<u8>,
}

impl Header {
    pub(super) fn new(settings: &SyslogSettings, hostname: &[u8]) -> Self {
        let hostname = name(hostname, MAX_HOSTNAME_BYTES);
        let program = name(&settings.program, MAX_PROGRAM_BYTES);
        let process = std::process::id();
        let (in_brackets, as_field) = match settings.process_id {
            true => (format!("[{process}]"), process.to_string()),
            false => (String::new(), "-".to_owned()),
        };
        let fixed = match (settings.protocol, &settings.address) {
            (SyslogProtocol::Rfc5424, _) => format!("{hostname} {program} {as_field} - "),
            (SyslogProtocol::Rfc3164, SyslogAddress::Unix(_)) => {
                format!("{program}{in_brackets}: ")
            }
            (SyslogProtocol::Rfc3164, _) => format!("{hostname} {program}{in_brackets}: "),
        };
        Self {
            protocol: settings.protocol,
            priority: settings.facility.number() * 8 + settings.severity.number(),
            zone: TimeZone::system(),
            fixed: fixed.into_bytes(),
        }
    }

    /// Returns whether structured data, or `-` for none, follows.
    pub(super) fn has_structured_data(&self) -> bool {
        self.protocol == SyslogProtocol::Rfc5424
    }

    /// Appends a header with this time.
    pub(super) fn write(&self, now: Timestamp, out: &mut Vec<u8>) {
        // Writing into a vector cannot fail.
        let _ = match self.protocol {
            SyslogProtocol::Rfc5424 => write!(out, "<{}>1 {now:.6} ", self.priority),
            SyslogProtocol::Rfc3164 => {
                let time = now.to_zoned(self.zone.clone());
                let (hour, minute, second) = (time.hour(), time.minute(), time.second());
                let month = usize::from(time.month().unsigned_abs()) - 1;
                let month = MONTHS.get(month);
                debug_assert!(month.is_some(), "a year has twelve months");
                write!(
                    out,
                    "<{}>{} {:>2} {hour:02}:{minute:02}:{second:02} ",
                    self.priority,
                    month.unwrap_or(&"Jan"),
                    time.day(),
                )
            }
        };
        out.extend_from_slice(&self.fixed);
    }
}

/// Returns a name in printable ASCII; `-` for an empty one.
fn name(bytes: &[u8], longest: usize) -> String {
    let legal = |byte: &u8| match byte {
        b'!'..=b'~' => char::from(*byte),
        _ => '_',
    };
    let name: String = bytes.iter().map(legal).take(longest).collect();
    if name.is_empty() {
        "-".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Facility, SyslogSeverity};
    use super::*;

    #[track_caller]
    fn check(address: SyslogAddress, protocol: SyslogProtocol, expected: &str) {
        let mut settings = SyslogSettings::new(address);
        settings.protocol = protocol;
        settings.facility = Facility::Local7;
        settings.severity = SyslogSeverity::Debug;
        let mut out = Vec::new();
        let now = Timestamp::from_microsecond(1_795_328_705_000_007).unwrap();
        let mut header = Header::new(&settings, b"mail host");
        header.zone = TimeZone::UTC;
        header.write(now, &mut out);
        let expected = expected.replace("PID", &std::process::id().to_string());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    /// In the form of the examples of the two RFCs.
    #[test]
    fn headers() {
        let unix = || SyslogAddress::Unix("/dev/log".into());
        let udp = || SyslogAddress::Udp {
            host: "localhost".to_owned(),
            port: 514,
        };
        let new = "<191>1 2026-11-22T06:25:05.000007Z mail_host fantail PID - ";
        check(unix(), SyslogProtocol::Rfc5424, new);
        check(udp(), SyslogProtocol::Rfc5424, new);
        let local = "<191>Nov 22 06:25:05 fantail[PID]: ";
        check(unix(), SyslogProtocol::Rfc3164, local);
        let remote = "<191>Nov 22 06:25:05 mail_host fantail[PID]: ";
        check(udp(), SyslogProtocol::Rfc3164, remote);
    }
}
