//! An IP address that is parsed only when it is needed.

use alloc::vec::Vec;
use core::{
    fmt::{self, Write},
    net::IpAddr,
};

use crate::{
    Ip, Zone,
    invariant::Invariant as _,
    model::ip::{UNSPECIFIED, is_usual_v4},
};

/// An IP address, either parsed or still the text that was sent.
///
/// Most addresses are counted or written without parsing; only a comparison with a
/// network needs the parsed form.
///
/// ```
/// use fantail_event::{Ip, IpRef};
///
/// let ip = Ip::parse(b"192.0.2.7").ok_or("no address")?;
/// let mut text = Vec::new();
/// IpRef::from(ip).write_into(&mut text);
/// assert_eq!(text, b"192.0.2.7");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct IpRef<'a>(IpForm<'a>);

#[derive(Debug, Clone, Copy)]
enum IpForm<'a> {
    Parsed(Ip),
    /// The text of a valid address.
    Sent(&'a [u8]),
}

impl<'a> IpRef<'a> {
    /// The address with this text, which must be valid.
    pub(crate) const fn sent(text: &'a [u8]) -> Self {
        Self(IpForm::Sent(text))
    }
}

impl From<Ip> for IpRef<'_> {
    fn from(ip: Ip) -> Self {
        Self(IpForm::Parsed(ip))
    }
}

impl IpRef<'_> {
    /// Returns the parsed address.
    #[must_use]
    #[inline]
    pub fn address(self) -> Ip {
        match self.0 {
            IpForm::Parsed(ip) => ip,
            IpForm::Sent(text) => {
                let ip = Ip::parse_sent(text);
                debug_assert!(ip.is_some(), "the parser takes only addresses");
                ip.unwrap_or(UNSPECIFIED)
            }
        }
    }

    /// Appends the text of the address, which is that of [`Ip`].
    pub fn write_into(self, out: &mut Vec<u8>) {
        match self.0 {
            IpForm::Sent(text) if is_usual_v4(text) => out.extend_from_slice(text),
            IpForm::Parsed(Ip {
                address: IpAddr::V4(v4),
                zone: Zone::None,
            }) => write_v4(v4.octets(), out),
            _ => {
                // Writing into a vector cannot fail.
                let _ = write!(Appended(out), "{}", self.address());
            }
        }
    }
}

impl PartialEq for IpRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for IpRef<'_> {}

impl fmt::Display for IpRef<'_> {
    /// The text of the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

/// Writes an address without `fmt`, which is slower.
fn write_v4(octets: [u8; 4], out: &mut Vec<u8>) {
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
        let zeros = usize::from(octet < 100) + usize::from(octet < 10);
        out.extend_from_slice(digits.get(zeros..).always());
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

    use super::{Ip, IpForm, IpRef, is_usual_v4};

    /// Compares an unparsed with a parsed address.
    #[track_caller]
    fn check(text: &str, is_usual: bool) {
        assert_eq!(is_usual_v4(text.as_bytes()), is_usual, "{text}");
        let ip = Ip::parse_sent(text.as_bytes());
        let read = ip.map(|ip| ip.to_string());
        let mut out = Vec::new();
        if let Some(ip) = ip {
            IpRef::from(ip).write_into(&mut out);
        }
        assert_eq!(
            out,
            read.as_deref().unwrap_or_default().as_bytes(),
            "{text}"
        );
        if ip.is_some() {
            out.clear();
            IpRef(IpForm::Sent(text.as_bytes())).write_into(&mut out);
            assert_eq!(out, read.unwrap_or_default().as_bytes(), "{text}");
        }
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
