//! Keyed hashes of values that must not be readable.

use std::fmt;

use fantail_event::{Elements, ValueRef, internal::Invariant as _};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The shortest secret.
const MIN_SECRET_BYTES: usize = 16;
/// Bytes of the hash that are written, as two digits each.
const WRITTEN_BYTES: usize = 16;

/// The key of a keyed hash: the same value always becomes the same 32 hexadecimal
/// digits, and only the owner of the secret can find the value.
///
/// The digits are the first half of HMAC-SHA-256. To look up a user, run
/// `printf %s USER | openssl dgst -sha256 -hmac SECRET`.
#[derive(Clone)]
pub struct HashKey {
    secret: Vec<u8>,
    keyed: Hmac<Sha256>,
}

impl HashKey {
    /// Creates the key from a secret, without the line breaks at its end; `None` if
    /// the secret has fewer than 16 bytes.
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
        if secret.len() < MIN_SECRET_BYTES {
            return None;
        }
        Some(Self {
            secret: secret.to_vec(),
            keyed: Hmac::new_from_slice(secret).ok()?,
        })
    }

    /// The digits of a text.
    pub(crate) fn digits(&self, text: &[u8]) -> [u8; 2 * WRITTEN_BYTES] {
        let mut keyed = self.keyed.clone();
        keyed.update(text);
        let hash = keyed.finalize().into_bytes();
        let mut digits = [0; 2 * WRITTEN_BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        digits
    }

    /// Calls `use_value` with the digits of a value, for a list with a list of
    /// digits. An empty text stays empty, since it means that the field is removed.
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

/// Writes a number or an address into a buffer that is large enough for any;
/// returns the text.
fn written<'b>(text: fmt::Arguments<'_>, buffer: &'b mut [u8]) -> &'b [u8] {
    let length = buffer.len();
    let mut rest = &mut *buffer;
    let fits = std::io::Write::write_fmt(&mut rest, text).is_ok();
    let used = length - rest.len();
    debug_assert!(fits, "the buffer is too small");
    buffer.get(..used).always()
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
