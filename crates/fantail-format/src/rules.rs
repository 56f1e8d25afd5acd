//! Rules for fields: which are written, and which values are hashed or
//! shortened.

use std::net::IpAddr;

use fantail_event::{Elements, Ip, ValueRef};

use crate::HashKey;

/// Takes the key of a field and the value to write.
pub(crate) type Write<'w> = &'w mut dyn FnMut(&[u8], ValueRef<'_>);

/// Rules for the fields that an exporter writes: for privacy, and for targets that
/// charge by the byte.
///
/// By default all fields are written unchanged.
///
/// ```
/// use fantail_event::{Dialect, Event, EffectiveBuffers, SentEvent, Timestamp};
/// use fantail_format::{
///     ExportContext, FieldRules, Format, Formatter, FormatterSettings, KeyPattern, Mask, Parts,
/// };
///
/// let mut settings = FormatterSettings::new(Format::Json, Dialect::V2_4);
/// settings.parts = Parts { fields: true, ..Parts::EMPTY };
/// settings.rules = FieldRules {
///     deny: vec![KeyPattern::new("pass*")],
///     masks: vec![(KeyPattern::new("user"), Mask::Truncate(1))],
///     ..FieldRules::default()
/// };
/// let time = Timestamp::from_unix_micros(0);
/// let event = Event::builder(time)
///     .field("user", "anna")
///     .field("password", "secret")
///     .build()?;
/// let sent = SentEvent::alone(&event);
/// let mut buffers = EffectiveBuffers::default();
/// let mut out = Vec::new();
/// let context = ExportContext { host: b"mail1", received_at: time };
/// Formatter::new(settings).write(&buffers.gather(&sent), context, &mut out);
/// let text = String::from_utf8(out)?;
/// assert!(text.contains(r#""user":"a""#), "{text}");
/// assert!(!text.contains("secret"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldRules {
    /// The only fields that are written; empty for all.
    pub allow: Vec<KeyPattern>,
    /// Fields that are not written, even if they are allowed.
    pub deny: Vec<KeyPattern>,
    /// Fields whose values are changed; the first pattern that matches a field
    /// counts.
    pub masks: Vec<(KeyPattern, Mask)>,
}

/// The name of a field; a `*` at the end matches all names that begin so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPattern(Vec<u8>);

/// The change of a value before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// A keyed hash of the value.
    Hash(HashKey),
    /// Its first characters, at most this many bytes. Numbers and times are not
    /// changed.
    Truncate(usize),
    /// The network of an address: 192.0.2.77 becomes 192.0.2.0. A value that is no
    /// address becomes empty.
    Network {
        /// Prefix length of IPv4 addresses, also of those written as IPv6.
        v4: u8,
        /// Prefix length of IPv6 addresses.
        v6: u8,
    },
}

impl KeyPattern {
    /// Creates a pattern; a `*` at its end matches any bytes.
    pub fn new(pattern: impl Into<Vec<u8>>) -> Self {
        Self(pattern.into())
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether the pattern matches the name of a field.
    ///
    /// ```
    /// use fantail_format::KeyPattern;
    ///
    /// assert!(KeyPattern::new("user").matches(b"user"));
    /// assert!(!KeyPattern::new("user").matches(b"user_mask"));
    /// assert!(KeyPattern::new("net_*").matches(b"net_in_bytes"));
    /// ```
    #[must_use]
    pub fn matches(&self, key: &[u8]) -> bool {
        match self.0.split_last() {
            Some((b'*', start)) => key.starts_with(start),
            _ => self.0 == key,
        }
    }
}

impl FieldRules {
    /// Returns whether all fields are written unchanged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty() && self.masks.is_empty()
    }

    /// Calls `write` with the value to write, unless the field is not written.
    pub(crate) fn apply(&self, key: &[u8], value: ValueRef<'_>, write: Write<'_>) {
        let means = |pattern: &KeyPattern| pattern.matches(key);
        let hidden = !self.allow.is_empty() && !self.allow.iter().any(means);
        if hidden || self.deny.iter().any(means) {
            return;
        }
        let mask = self.masks.iter().find(|(pattern, _)| means(pattern));
        match mask.map(|(_, mask)| mask) {
            None => write(key, value),
            Some(Mask::Hash(secret)) => secret.hide(value, |value| write(key, value)),
            Some(Mask::Truncate(bytes)) => truncate(key, value, *bytes, write),
            Some(Mask::Network { v4, v6 }) => network(key, value, (*v4, *v6), write),
        }
    }
}

fn truncate(key: &[u8], value: ValueRef<'_>, bytes: usize, write: Write<'_>) {
    match value {
        ValueRef::Str(text) => write(key, ValueRef::Str(beginning(text, bytes))),
        ValueRef::List(list) => {
            let mut elements: Vec<Vec<u8>> = Vec::new();
            list.for_each(|one| elements.push(beginning(one, bytes).to_vec()));
            write(key, ValueRef::List(Elements::of(&elements, 0)));
        }
        ValueRef::Ip(ip) => {
            let mut text = Vec::new();
            ip.write_into(&mut text);
            write(key, ValueRef::Str(beginning(&text, bytes)));
        }
        ValueRef::Int(_)
        | ValueRef::Unsigned(_)
        | ValueRef::Float(_)
        | ValueRef::Bool(_)
        | ValueRef::Time(_) => write(key, value),
    }
}

/// The first characters of a text, at most this many bytes.
fn beginning(text: &[u8], bytes: usize) -> &[u8] {
    let continues = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three bytes after its first.
    let whole = (bytes.saturating_sub(3)..=bytes).rfind(|at| !continues(*at));
    text.get(..whole.unwrap_or(bytes)).unwrap_or(text)
}

fn network(key: &[u8], value: ValueRef<'_>, (v4, v6): (u8, u8), write: Write<'_>) {
    let of = |ip: Ip| ip_network(ip, v4, v6);
    let address = match value {
        ValueRef::Ip(ip) => Some(ip.address()),
        ValueRef::Str(text) => Ip::parse_sent(text),
        ValueRef::List(list) => {
            let mut networks: Vec<String> = Vec::new();
            list.for_each(|element| {
                let ip = Ip::parse_sent(element);
                networks.push(ip.map(|ip| of(ip).to_string()).unwrap_or_default());
            });
            return write(key, ValueRef::List(Elements::of(&networks, 0)));
        }
        ValueRef::Int(_)
        | ValueRef::Unsigned(_)
        | ValueRef::Float(_)
        | ValueRef::Bool(_)
        | ValueRef::Time(_) => None,
    };
    let written = address.map(|ip| ValueRef::Ip(of(ip).into()));
    write(key, written.unwrap_or(ValueRef::Str(b"")));
}

/// The network of an address without its zone, which names an interface.
fn ip_network(ip: Ip, v4: u8, v6: u8) -> Ip {
    let masked = match ip.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(v4.into()));
            IpAddr::V4((u32::from(address) & mask.unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            let length = match address.to_ipv4_mapped() {
                Some(_) => v4.saturating_add(96),
                None => v6,
            };
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length.into()));
            IpAddr::V6((u128::from(address) & mask.unwrap_or(0)).into())
        }
    };
    masked.into()
}
