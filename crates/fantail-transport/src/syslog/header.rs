//! Headers of syslog messages.

use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use time::OffsetDateTime;

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
    /// The bytes from the host name to the message or its structured data.
    fixed: Vec<u8>,
}

impl Header {
    pub(super) fn new(settings: &SyslogSettings, hostname: &[u8]) -> Self {
        let hostname = name(hostname, MAX_HOSTNAME_BYTES);
        let program = name(&settings.program, MAX_PROGRAM_BYTES);
        let process = std::process::id();
        let fixed = match (settings.protocol, &settings.address) {
            (SyslogProtocol::Rfc5424, _) => format!("{hostname} {program} {process} - "),
            (SyslogProtocol::Rfc3164, SyslogAddress::Unix(_)) => format!("{program}[{process}]: "),
            (SyslogProtocol::Rfc3164, _) => format!("{hostname} {program}[{process}]: "),
        };
        Self {
            protocol: settings.protocol,
            priority: settings.facility.number() * 8 + settings.severity.number(),
            fixed: fixed.into_bytes(),
        }
    }

    /// Returns whether structured data, or `-` for none, follows.
    pub(super) fn has_structured_data(&self) -> bool {
        self.protocol == SyslogProtocol::Rfc5424
    }

    /// Appends a header with this time.
    pub(super) fn write(&self, now: SystemTime, out: &mut Vec<u8>) {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let date = OffsetDateTime::from_unix_timestamp(seconds);
        // Clocks beyond the year 9999 have no date here.
        let date = date.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (hour, minute, second) = date.to_hms();
        // Writing into a vector cannot fail.
        let _ = match self.protocol {
            SyslogProtocol::Rfc5424 => write!(
                out,
                "<{}>1 {:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z ",
                self.priority,
                date.year(),
                u8::from(date.month()),
                date.day(),
                now.subsec_micros(),
            ),
            SyslogProtocol::Rfc3164 => write!(
                out,
                "<{}>{} {:>2} {hour:02}:{minute:02}:{second:02} ",
                self.priority,
                MONTHS
                    .get(usize::from(u8::from(date.month()) - 1))
                    .unwrap_or(&"Jan"),
                date.day(),
            ),
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
    use std::time::Duration;

    use super::super::settings::{Facility, SyslogSeverity};
    use super::*;

    #[track_caller]
    fn check(address: SyslogAddress, protocol: SyslogProtocol, expected: &str) {
        let mut settings = SyslogSettings::new(address);
        settings.protocol = protocol;
        settings.facility = Facility::Local7;
        settings.severity = SyslogSeverity::Debug;
        let mut out = Vec::new();
        let now = UNIX_EPOCH + Duration::from_micros(1_795_328_705_000_007);
        Header::new(&settings, b"mail host").write(now, &mut out);
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
