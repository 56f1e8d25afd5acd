//! An IP address as it is written down.

use alloc::vec::Vec;
use core::{
    fmt::{self, Write},
    net::IpAddr,
};

use crate::{Ip, Zone, ip::is_usual_v4};

/// An IP address as it came.
#[derive(Debug, Clone, Copy)]
pub struct FlatIp<'a>(IpForm<'a>);

#[derive(Debug, Clone, Copy)]
enum IpForm<'a> {
    Read(Ip),
    /// The text of an address that can be read.
    Sent(&'a [u8]),
}

impl<'a> FlatIp<'a> {
    /// Of the text of an address that can be read.
    pub(super) const fn sent(text: &'a [u8]) -> Self {
        Self(IpForm::Sent(text))
    }
}

impl From<Ip> for FlatIp<'_> {
    fn from(ip: Ip) -> Self {
        Self(IpForm::Read(ip))
    }
}

impl FlatIp<'_> {
    /// The address.
    #[must_use]
    pub fn address(&self) -> Option<Ip> {
        match self.0 {
            IpForm::Read(ip) => Some(ip),
            IpForm::Sent(text) => Ip::parse_sent(text),
        }
    }

    /// Appends its usual text, which is that of [`Ip`].
    pub fn write_into(&self, out: &mut Vec<u8>) {
        match self.0 {
            IpForm::Sent(text) if is_usual_v4(text) => out.extend_from_slice(text),
            IpForm::Read(Ip {
                address: IpAddr::V4(v4),
                zone: Zone::None,
            }) => write_v4(v4.octets(), out),
            _ => {
                // Writing into a vector cannot fail.
                let _ = self.address().map(|ip| write!(Appended(out), "{ip}"));
            }
        }
    }
}

impl fmt::Display for FlatIp<'_> {
    /// Its usual text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().map_or(Ok(()), |ip| ip.fmt(f))
    }
}

/// Without the detour through `fmt`.
fn write_v4(octets: [u8; 4], out: &mut Vec<u8>) {
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
        let zeros = usize::from(octet < 100) + usize::from(octet < 10);
        out.extend_from_slice(digits.get(zeros..).unwrap_or_default());
    }
}

struct Appended<'o>(&'o mut Vec<u8>);

impl Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec::Vec};

    use super::{FlatIp, Ip, IpForm};
    use crate::ip::is_usual_v4;

    /// What is sent is written as what was read of it.
    #[track_caller]
    fn check(text: &str, is_usual: bool) {
        assert_eq!(is_usual_v4(text.as_bytes()), is_usual, "{text}");
        let ip = Ip::parse_sent(text.as_bytes());
        let read = ip.map(|ip| ip.to_string());
        let mut out = Vec::new();
        if let Some(ip) = ip {
            FlatIp::from(ip).write_into(&mut out);
        }
        assert_eq!(
            out,
            read.as_deref().unwrap_or_default().as_bytes(),
            "{text}"
        );
        out.clear();
        FlatIp(IpForm::Sent(text.as_bytes())).write_into(&mut out);
        assert_eq!(out, read.unwrap_or_default().as_bytes(), "{text}");
    }

    #[test]
    fn addresses_are_written_as_if_they_had_been_read() {
        for part in 0..=255 {
            check(&alloc::format!("{part}.0.{part}.10"), true);
        }
        for text in ["0.0.0.0", "255.255.255.255", "127.0.0.1", "199.200.249.250"] {
            check(text, true);
        }
        for text in [
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.400",
            "10.1",
            "0x7f.1",
            "::1",
            "fe80::1%eth0",
            "::ffff:1.2.3.4",
            "[::1]",
            "",
            "x",
            "1.2.3.",
            "1..2.3",
        ] {
            check(text, false);
        }
    }
}
