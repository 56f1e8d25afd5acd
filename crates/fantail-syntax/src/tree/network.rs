//! IP addresses and networks as values.

use core::{fmt, net::IpAddr};

use fantail_event::{Ip, ParseValueError, Zone};

/// A network, or a single address: all bits count.
///
/// ```
/// use fantail_syntax::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert_eq!(Network::parse(b"10.0.0.0/8"), Some(network));
/// assert_eq!(network.bits(), 8);
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("11.0.0.1".parse()?));
/// assert_eq!(Network::new("::1".parse()?, 129), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    ip: Ip,
    bits: u8,
}

impl Network {
    /// `None` if the address has fewer bits than that.
    #[must_use]
    pub fn new(ip: Ip, bits: u8) -> Option<Self> {
        (bits <= width(ip)).then_some(Self { ip, bits })
    }

    /// Reads `address` or `address/bits` (decimal), as Dovecot 2.4 does.
    ///
    /// Any bit of the address may be set, also those beyond the network's.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = text.splitn(2, |&byte| byte == b'/');
        let ip = Ip::parse(parts.next()?)?;
        let bits = match parts.next() {
            None => width(ip),
            Some([]) => return None,
            Some(digits) => digits.iter().try_fold(0_u8, |bits, byte| {
                let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
                bits.checked_mul(10)?.checked_add(digit)
            })?,
        };
        Self::new(ip, bits)
    }

    /// The address as written.
    #[must_use]
    pub const fn ip(self) -> Ip {
        self.ip
    }

    /// Returns the length of the prefix that an address must share, in bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// Returns whether the address is in this network.
    ///
    /// An IPv4 address mapped into IPv6 counts as the IPv4 one, and so lies in
    /// no IPv6 network, not even in one that is written alike. A network with
    /// a zone holds only addresses of this zone; one without, those of any.
    #[must_use]
    pub fn contains(self, ip: Ip) -> bool {
        let shared = match (self.ip.address, ip.address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => (net.to_bits() ^ ip.to_bits()).leading_zeros(),
            (IpAddr::V6(net), IpAddr::V6(ip)) => (net.to_bits() ^ ip.to_bits()).leading_zeros(),
            _ => return false,
        };
        shared >= u32::from(self.bits) && (self.ip.zone == Zone::None || self.ip.zone == ip.zone)
    }
}

/// The canonical text: without the bits if they all count.
impl core::str::FromStr for Network {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let expected = "an IP address or a network, such as `10.0.0.0/8`";
        Self::parse(text.as_bytes()).ok_or(ParseValueError::new(expected))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ip)?;
        if self.bits == width(self.ip) {
            return Ok(());
        }
        write!(f, "/{}", self.bits)
    }
}

const fn width(ip: Ip) -> u8 {
    if ip.address.is_ipv4() { 32 } else { 128 }
}
