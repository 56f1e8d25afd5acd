//! Subjects: `fantail.c1.CLUSTER.HOST.RUN.h`, `….RUN.PART.bCHUNK` and `….RUN.PART.dSLOT`.

use std::fmt;

use super::{Contents, Message, PartId, RunId};

/// The subject of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The cluster.
    pub cluster: &'a [u8],
    /// The host.
    pub host: &'a [u8],
    /// The run.
    pub run: RunId,
    /// The part and the kind of its message; `None` for the head.
    pub part: Option<(PartId, Contents)>,
}

impl<'a> Subject<'a> {
    /// Returns the subject to which a message belongs: a host must not write under the
    /// name of another one.
    #[must_use]
    pub fn of(message: &'a Message) -> Self {
        let (cluster, host, run) = message.source();
        let part = match message {
            Message::Head(_) => None,
            Message::Part(part) => Some((part.part.part, part.part.contents)),
        };
        Self {
            cluster,
            host,
            run,
            part,
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cluster, host) = (token(self.cluster), token(self.host));
        write!(f, "fantail.c1.{cluster}.{host}.{:032x}.", self.run)?;
        match self.part {
            None => f.write_str("h"),
            Some((part, Contents::Base { chunk, .. })) => write!(f, "{part:02x}.b{chunk}"),
            Some((part, Contents::Delta { slot, .. })) => write!(f, "{part:02x}.d{slot}"),
        }
    }
}

/// Returns a name as a token of a subject: a name of `a` to `z`, `0` to `9`, `_` and `-`
/// as it is, any other one as `=` and its base32, so that no name has a dot or a wildcard.
#[must_use]
pub fn token(name: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let is_plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if !name.is_empty() && name.iter().all(is_plain) {
        return String::from_utf8_lossy(name).into_owned();
    }
    let mut token = String::from("=");
    for group in name.chunks(5) {
        let mut bits = [0; 8];
        for (to, from) in bits.iter_mut().skip(3).zip(group) {
            *to = *from;
        }
        let bits = u64::from_be_bytes(bits);
        for digit in 0..(group.len() * 8).div_ceil(5) {
            let at = usize::try_from((bits >> (35 - 5 * digit)) & 31).unwrap_or_default();
            token.extend(DIGITS.get(at).map(|digit| char::from(*digit)));
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn no_name_chooses_another_subject() {
        assert_eq!(token(b"mail1"), "mail1");
        // RFC 4648 has these, in upper case and with padding.
        for (name, expected) in [
            (&b"foo.b"[..], "mzxw6ltc"),
            (b"f.", "myxa"),
            (b">", "hy"),
            (b"*", "fi"),
            (b"FOO", "izhu6"),
        ] {
            assert_eq!(token(name), format!("={expected}"));
        }
        assert_eq!(token(b""), "=");
    }
}
