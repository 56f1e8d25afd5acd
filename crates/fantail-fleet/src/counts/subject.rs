//! Subjects of the messages of a cluster:
//!
//! ```text
//! fantail.c1.CLUSTER.HOST.RUN.h               the head of a run
//! fantail.c1.CLUSTER.HOST.RUN.f               the claim of a fold process
//! fantail.c1.CLUSTER.HOST.RUN.4.2.bCHUNK      a base of part 0x42
//! fantail.c1.CLUSTER.HOST.RUN.4.2.dSLOT       a delta of part 0x42
//! fantail.c1.CLUSTER._fold.ATTEMPT.4.2.bCHUNK part 0x42 of what is folded
//! fantail.c1.CLUSTER._fold.0….h, ….1.h        the last two heads of the fold
//! ```
//!
//! The digits of a part are tokens of their own, so that a reader subscribes to 16 parts with
//! one wildcard.

use std::fmt;

use super::{Contents, Message, PartId, RunId};

/// The name under which ended runs are folded, as a token; hosts cannot have it.
const FOLD_TOKEN: &str = "_fold";

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Which versions of a run are the newest, or what is folded.
    Head,
    /// That a run is folded.
    Claim,
    /// Values of a part.
    Part(PartId, Contents),
}

/// The subject of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The cluster.
    pub cluster: &'a [u8],
    /// The host; empty for what is folded.
    pub host: &'a [u8],
    /// The run, or the attempt to fold; 0 or 1 for the head of the fold.
    pub run: RunId,
    /// What the message is about.
    pub topic: Topic,
}

impl<'a> Subject<'a> {
    /// Returns the subject to which a message belongs: a host must not write under the
    /// name of another one.
    #[must_use]
    pub fn of(message: &'a Message) -> Self {
        let (cluster, host, run) = message.source();
        let topic = match message {
            Message::Head(_) | Message::Fold(_) => Topic::Head,
            Message::Claim(_) => Topic::Claim,
            Message::Part(part) => Topic::Part(part.part.part, part.part.contents),
        };
        Self {
            cluster,
            host,
            run,
            topic,
        }
    }

    /// Returns the subjects of all messages of a run, with a wildcard.
    #[must_use]
    pub(super) fn of_run(cluster: &[u8], host: &[u8], run: RunId) -> String {
        format!("{}>", prefix(cluster, host, run))
    }
}

fn prefix(cluster: &[u8], host: &[u8], run: RunId) -> String {
    let host = match host {
        [] => FOLD_TOKEN.to_owned(),
        host => token(host),
    };
    format!("fantail.c1.{}.{host}.{run:032x}.", token(cluster))
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&prefix(self.cluster, self.host, self.run))?;
        let (part, contents) = match self.topic {
            Topic::Head => return f.write_str("h"),
            Topic::Claim => return f.write_str("f"),
            Topic::Part(part, contents) => (part, contents),
        };
        write!(f, "{:x}.{:x}.", part >> 4, part & 15)?;
        match contents {
            Contents::Base { chunk, .. } => write!(f, "b{chunk}"),
            Contents::Delta { slot, .. } => write!(f, "d{slot}"),
        }
    }
}

/// Returns a name as a token of a subject: a name of `a` to `z`, `0` to `9`, `_` and `-` that
/// does not begin with `_` as it is, any other one as `=` and its base32, so that no name has
/// a dot or a wildcard, or is that of the fold.
#[must_use]
pub fn token(name: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let is_plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if name.first().is_some_and(|byte| *byte != b'_') && name.iter().all(is_plain) {
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
            (b"_fold", "l5tg63de"),
        ] {
            assert_eq!(token(name), format!("={expected}"));
        }
        assert_eq!(token(b""), "=");
    }
}
