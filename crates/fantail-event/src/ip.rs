//! IP addresses with an IPv6 zone.

use core::net::{IpAddr, Ipv6Addr};

/// An IP address; a link-local IPv6 one may carry a zone (`fe80::1%2`).
///
/// The zone is the interface's number. Zone names are looked up nowhere: the
/// interfaces of the machine that sent the event are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip {
    /// The address.
    pub address: IpAddr,
    /// The zone, 0 for none.
    pub zone: u32,
}

impl Ip {
    /// Reads an address: dotted quad, IPv6 with or without square brackets,
    /// with or without a numeric zone.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        if let Ok(v4) = text.parse() {
            return Some(Self {
                address: IpAddr::V4(v4),
                zone: 0,
            });
        }
        let inner = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let (address, zone) = match inner.split_once('%') {
            Some((address, zone)) => (address, zone.parse().ok()?),
            None => (inner, 0),
        };
        let v6: Ipv6Addr = address.parse().ok()?;
        Some(Self {
            address: IpAddr::V6(v6),
            zone,
        })
    }
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Self {
        Self { address, zone: 0 }
    }
}

impl core::fmt::Display for Ip {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.address)?;
        if self.zone == 0 {
            Ok(())
        } else {
            write!(f, "%{}", self.zone)
        }
    }
}
