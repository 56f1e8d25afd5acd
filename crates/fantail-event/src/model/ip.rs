//! IP addresses with an IPv6 zone, read and written as Dovecot does.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::invariant::Invariant as _;

/// An IP address; an IPv6 one may carry a zone (`fe80::1%2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip {
    /// The address.
    pub address: IpAddr,
    /// The zone.
    pub zone: Zone,
}

/// The network interface that a link-local address belongs to.
///
/// Names are not looked up, since they are those of the machine that sent the event:
/// a name and a number are never the same zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Zone {
    /// No address.
    #[default]
    None,
    /// The interface's number; not 0.
    Number(u32),
    /// The interface's name.
    Name(ZoneName),
}

/// The name of a network interface: 1 to 15 printable ASCII characters, `/`
/// and `%` not among them.
///
/// ```
/// use fantail_event::{Ip, Zone, ZoneName};
///
/// let zone = Zone::Name(ZoneName::new("eth0").unwrap());
/// let ip = Ip { address: "fe80::1".parse()?, zone };
/// assert_eq!(ip.to_string(), "fe80::1%eth0");
/// assert_eq!(ZoneName::new("a/b"), None);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ZoneName {
    length: u8,
    bytes: [u8; 15],
}

/// 0.0.0.0
pub(crate) const UNSPECIFIED: Ip = Ip {
    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    zone: Zone::None,
};

/// Returns whether a text is an IPv4 address in canonical form.
#[inline]
pub(crate) fn is_usual_v4(text: &[u8]) -> bool {
    let (mut points, mut digits, mut number) = (0, 0, 0_u32);
    for byte in text {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => {
                let is_long = digits > 0 && number == 0;
                number = 10 * number + u32::from(digit);
                digits += 1;
                if is_long || number > 255 {
                    return false;
                }
            }
            _ if *byte == b'.' && digits > 0 => {
                points += 1;
                (digits, number) = (0, 0);
            }
            _ => return false,
        }
    }
    points == 3 && digits > 0
}

impl ZoneName {
    /// Creates a name; `None` if no interface can have it.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b'%';
        let mut bytes = [0; 15];
        let target = bytes.get_mut(..name.len())?;
        if name.is_empty() || !name.bytes().all(legal) {
            return None;
        }
        target.copy_from_slice(name.as_bytes());
        Some(Self {
            length: u8::try_from(name.len()).ok()?,
            bytes,
        })
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length));
        // `new` takes only ASCII.
        name.and_then(|name| core::str::from_utf8(name).ok())
            .always()
    }
}

impl Ip {
    /// Reads an address, with all that Dovecot 2.4 takes for one.
    ///
    /// IPv4: four decimal numbers (leading zeros do not count), or else the
    /// old forms of one to four parts, each decimal, octal (`0…`) or
    /// hexadecimal (`0x…`), the last one filling what the others left:
    /// `10.1` is `10.0.0.1`. IPv6: with or without square brackets, with or
    /// without a numeric zone (within the brackets).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_with(text, |_| None)
    }

    /// Reads an address whose zone may also be a name, as Dovecot's processes
    /// send it (`fe80::1%eth0`); 1 to 15 characters.
    ///
    /// ```
    /// use fantail_event::Ip;
    ///
    /// let ip = Ip::parse_sent(b"fe80::1%eth0").unwrap();
    /// assert_eq!(ip.to_string(), "fe80::1%eth0");
    /// assert_eq!(Ip::parse(b"fe80::1%eth0"), None);
    /// ```
    #[must_use]
    pub fn parse_sent(text: &[u8]) -> Option<Self> {
        Self::parse_with(text, |name| ZoneName::new(name).map(Zone::Name))
    }

    fn parse_with(text: &[u8], zone_name: impl Fn(&str) -> Option<Zone>) -> Option<Self> {
        if !text.contains(&b':') {
            let v4 = decimal_quad(text).or_else(|| classful(text))?;
            return Some(IpAddr::V4(v4).into());
        }
        let inner = match text {
            [b'[', inner @ .., b']'] => inner,
            _ => text,
        };
        let inner = core::str::from_utf8(inner).ok()?;
        let (address, zone) = match inner.split_once('%') {
            Some((address, zone)) => match number(zone.as_bytes(), 10) {
                Some(0) => (address, Zone::None),
                Some(number) => (address, Zone::Number(number)),
                None => (address, zone_name(zone)?),
            },
            None => (inner, Zone::None),
        };
        let v6: Ipv6Addr = address.parse().ok()?;
        Some(Self {
            address: IpAddr::V6(v6),
            zone,
        })
    }
}

fn decimal_quad(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = text.split(|&byte| byte == b'.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = u8::try_from(number(parts.next()?, 10)?).ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

/// The forms of `inet_aton`.
fn classful(text: &[u8]) -> Option<Ipv4Addr> {
    let mut address = 0_u32;
    let mut free_bits = 32_u32;
    let mut parts = text.split(|&byte| byte == b'.').peekable();
    while let Some(part) = parts.next() {
        let value = part_of_any_base(part)?;
        if parts.peek().is_none() {
            // The last part fills the bits that the earlier parts left free.
            let largest = u32::MAX.checked_shr(32 - free_bits)?;
            return (value <= largest).then(|| (address | value).into());
        }
        free_bits = free_bits.checked_sub(8).filter(|&bits| bits > 0)?;
        address |= u32::from(u8::try_from(value).ok()?) << free_bits;
    }
    None
}

fn part_of_any_base(part: &[u8]) -> Option<u32> {
    match part {
        [b'0', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => number(digits, 8),
        digits => number(digits, 10),
    }
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, &byte| {
        let digit = char::from(byte).to_digit(base)?;
        number.checked_mul(base)?.checked_add(digit)
    })
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            zone: Zone::None,
        }
    }
}

impl core::fmt::Display for Ip {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.address {
            // As the C library does, and unlike Rust: `::0.1.0.2`.
            IpAddr::V6(v6) if is_v4_compatible(v6) => {
                let [.., a, b, c, d] = v6.octets();
                write!(f, "::{a}.{b}.{c}.{d}")?;
            }
            other => write!(f, "{other}")?,
        }
        match &self.zone {
            Zone::None => Ok(()),
            Zone::Number(number) => write!(f, "%{number}"),
            Zone::Name(name) => write!(f, "%{}", name.as_str()),
        }
    }
}

/// Exactly the first 96 bits are zero, and not the next 16 too.
fn is_v4_compatible(v6: Ipv6Addr) -> bool {
    matches!(v6.segments(), [0, 0, 0, 0, 0, 0, high, _] if high != 0)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// Checks Dovecot 2.4.1's printed form of an address in a filter; `None` if
    /// it treats the text as no address.
    #[track_caller]
    fn check(text: &str, canonical: impl Into<Option<&'static str>>) {
        let parsed = Ip::parse(text.as_bytes()).map(|ip| ip.to_string());
        assert_eq!(parsed.as_deref(), canonical.into(), "{text}");
    }

    #[test]
    fn four_decimal_parts() {
        check("10.0.0.1", "10.0.0.1");
        check("010.1.1.1", "10.1.1.1");
        check("08.1.1.1", "8.1.1.1");
        check("0255.1.1.1", "255.1.1.1");
        check("00000008.1.1.1", "8.1.1.1");
        check("256.1.1.1", None);
        check("1.1.1.256", None);
        check("1.2.3.4.5", None);
        check("1..1.1", None);
        check("1.1.1.1 ", None);
        check("+1.1.1.1", None);
        check("[1.1.1.1]", None);
        check("", None);
    }

    #[test]
    fn old_forms() {
        check("127.1", "127.0.0.1");
        check("0x7f.1", "127.0.0.1");
        check("1.2.3", "1.2.0.3");
        check("1.256", "1.0.1.0");
        check("1.2.65535", "1.2.255.255");
        check("1.2.65536", None);
        check("1.16777215", "1.255.255.255");
        check("1.16777216", None);
        check("0x10", "0.0.0.16");
        check("0xffffffff", "255.255.255.255");
        check("0x100000000", None);
        check("0377.1.1.1", "255.1.1.1");
        check("10.1.1.0377", "10.1.1.255");
        check("010.1.1.0377", "8.1.1.255");
        check("1.1.1.0400", None);
        check("010.1", "8.0.0.1");
        check("09.1", None);
        check("08.1.1.0x1", None);
        check("0x", None);
        check("1.0x", None);
        check("1.", None);
        check(".1", None);
    }

    #[test]
    fn version_six() {
        check("2001:DB8::1", "2001:db8::1");
        check("0:0:0:0:0:ffff:1:2", "::ffff:0.1.0.2");
        check("::1:2", "::0.1.0.2");
        check("::5", "::5");
        check("::", "::");
        check("1:0:0:2:0:0:0:3", "1:0:0:2::3");
        check("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7");
        check("64:ff9b::1.2.3.4", "64:ff9b::102:304");
        check("[::1]", "::1");
        check("[::1", None);
        check("::ffff:01.2.3.4", None);
        check("::00001", None);
    }

    #[test]
    fn zones() {
        check("::1%0", "::1");
        check("fe80:0::1%09", "fe80::1%9");
        check("[fe80::1%9]", "fe80::1%9");
        check("fe80:0::1%4294967295", "fe80::1%4294967295");
        check("fe80::1%4294967296", None);
        check("[fe80::1]%9", None);
        check("fe80::1%+2", None);
        check("fe80::1%", None);
        check("fe80::1%2%3", None);
        check("fe80::1%eth0", None);
    }

    #[test]
    fn zones_as_they_are_sent() {
        for (text, written) in [
            ("fe80::1%eth0", Some("fe80::1%eth0")),
            ("[fe80::1%lo]", Some("fe80::1%lo")),
            ("fe80::1%7", Some("fe80::1%7")),
            ("fe80::1%fifteen-letters", Some("fe80::1%fifteen-letters")),
            ("fe80::1%sixteen-letters!", None),
            ("fe80::1%", None),
            ("fe80::1%a/b", None),
            ("fe80::1%a%b", None),
        ] {
            let parsed = Ip::parse_sent(text.as_bytes()).map(|ip| ip.to_string());
            assert_eq!(parsed.as_deref(), written, "{text}");
        }
    }
}
