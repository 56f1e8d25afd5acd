//! Keyed hashing of what must not be read.

use std::fmt;

use fantail_event::{Elements, ValueRef};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The least that a secret has to have, in bytes.
const SHORTEST: usize = 16;
/// Bytes of the hash that are written.
const KEPT: usize = 16;

/// A secret that turns a value into the same 32 hexadecimal digits every
/// time, and into nothing that can be told from it without the secret.
///
/// The digits are the first half of HMAC-SHA-256: `printf %s USER | openssl
/// dgst -sha256 -hmac SECRET` gives them too, so that whoever has the secret
/// can look up a user.
#[derive(Clone)]
pub struct HashKey {
    secret: Vec<u8>,
    keyed: Hmac<Sha256>,
}

impl HashKey {
    /// The key of a secret, line breaks at its end taken away; `None` if it
    /// has less than 16 bytes.
    ///
    /// ```
    /// use fantail_format::HashKey;
    ///
    /// assert!(HashKey::new(b"of sixteen bytes\n").is_some());
    /// assert!(HashKey::new(b"of few bytes\n").is_none());
    /// ```
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        let end = secret
            .iter()
            .rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let secret = secret.get(..=end?)?;
        if secret.len() < SHORTEST {
            return None;
        }
        Some(Self {
            secret: secret.to_vec(),
            keyed: Hmac::new_from_slice(secret).ok()?,
        })
    }

    /// The digits for a text.
    pub(crate) fn digits(&self, text: &[u8]) -> [u8; 2 * KEPT] {
        let mut keyed = self.keyed.clone();
        keyed.update(text);
        let hash = keyed.finalize().into_bytes();
        let mut digits = [0; 2 * KEPT];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        digits
    }

    /// Hands the digits for a value to `use_value`: a list of digits for a
    /// list. An empty text stays one, as it stands for no field.
    pub(crate) fn hide(&self, value: ValueRef<'_>, use_value: impl FnOnce(ValueRef<'_>)) {
        let mut number = [0; 64];
        let text: &[u8] = match value {
            ValueRef::Str(b"") => return use_value(value),
            ValueRef::Str(text) => text,
            ValueRef::List(list) => {
                let mut hidden = Vec::new();
                list.for_each(|element| hidden.push(self.digits(element)));
                return use_value(ValueRef::List(Elements::of(&hidden, 0)));
            }
            ValueRef::Int(value) => written(format_args!("{value}"), &mut number),
            ValueRef::Unsigned(value) => written(format_args!("{value}"), &mut number),
            ValueRef::Float(value) => written(format_args!("{value:?}"), &mut number),
            ValueRef::Bool(true) => b"yes",
            ValueRef::Bool(false) => b"no",
            ValueRef::Ip(ip) => written(format_args!("{ip}"), &mut number),
            ValueRef::Time(time) => {
                let (seconds, micros) = (time.seconds(), time.subsec_micros());
                written(format_args!("{seconds}.{micros:06}"), &mut number)
            }
        };
        use_value(ValueRef::Str(&self.digits(text)));
    }
}

/// What was written, in a room that is large enough for numbers and
/// addresses.
fn written<'b>(text: fmt::Arguments<'_>, room: &'b mut [u8]) -> &'b [u8] {
    let whole = room.len();
    let mut rest = &mut *room;
    let fits = std::io::Write::write_fmt(&mut rest, text).is_ok();
    let used = whole - rest.len();
    debug_assert!(fits, "no number is as long");
    room.get(..used).unwrap_or_default()
}

fn digit(number: u8) -> u8 {
    match number {
        0..10 => b'0' + number,
        _ => b'a' + number - 10,
    }
}

impl fmt::Debug for HashKey {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

impl PartialEq for HashKey {
    fn eq(&self, other: &Self) -> bool {
        self.secret == other.secret
    }
}

impl Eq for HashKey {}
