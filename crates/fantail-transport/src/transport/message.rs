//! Payloads as messages of a log: what becomes of TABs, and how long a
//! message may be.
//!
//! Logs have limits: syslog receivers wrap or cut what is longer than they
//! like, and some rewrite TABs. What is cut here is cut between characters,
//! marked, and counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Stands at the end of a message that was cut.
const MARK: &[u8] = b"...";

/// How a payload becomes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageSettings {
    /// What becomes of TABs.
    pub tabs: Tabs,
    /// The most bytes of a message, including the mark of a cut; `None` for
    /// the default of the transport: any number for a log,
    /// [`SYSLOG_MESSAGE_BYTES`](crate::SYSLOG_MESSAGE_BYTES) for syslog.
    pub longest: Option<usize>,
}

/// What becomes of TABs in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tabs {
    /// They stay. (rsyslog writes `#011` for them unless it is told not to.)
    #[default]
    Keep,
    /// They become a backslash and a `t`.
    Escape,
    /// They become spaces.
    Replace,
}

/// How many messages were cut, one that is sent again each time; clones share
/// the number.
#[derive(Debug, Clone, Default)]
pub struct Shortened(Arc<AtomicU64>);

impl Shortened {
    /// The number so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Writes payloads as messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    settings: MessageSettings,
    shortened: Shortened,
}

impl Messages {
    pub(crate) fn new(settings: MessageSettings) -> Self {
        Self {
            settings,
            shortened: Shortened::default(),
        }
    }

    pub(crate) fn shortened(&self) -> &Shortened {
        &self.shortened
    }

    /// How much longer than allowed it would be.
    pub(crate) fn longest(&self) -> usize {
        self.settings.longest.unwrap_or(usize::MAX)
    }

    /// Appends a message of at most as many bytes as the settings say, less
    /// `used`.
    pub(crate) fn write(&self, payload: &[u8], used: usize, out: &mut Vec<u8>) {
        let start = out.len();
        match self.settings.tabs {
            Tabs::Keep => out.extend_from_slice(payload),
            Tabs::Escape => write_without_tabs(payload, b"\\t", out),
            Tabs::Replace => write_without_tabs(payload, b" ", out),
        }
        let room = self.longest().saturating_sub(used);
        if out.len() - start > room {
            let kept = room.saturating_sub(MARK.len());
            let message = out.get(start..).unwrap_or_default();
            out.truncate(start + before_character(message, kept));
            out.extend_from_slice(MARK.get(..room.min(MARK.len())).unwrap_or_default());
            self.count();
        }
    }

    /// Something else was cut.
    pub(crate) fn count(&self) {
        self.shortened.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn write_without_tabs(payload: &[u8], instead: &[u8], out: &mut Vec<u8>) {
    for (at, part) in payload.split(|byte| *byte == b'\t').enumerate() {
        if at > 0 {
            out.extend_from_slice(instead);
        }
        out.extend_from_slice(part);
    }
}

/// The last place up to here that is not within a character.
fn before_character(text: &[u8], at: usize) -> usize {
    let within = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three bytes behind its first.
    let whole = (at.saturating_sub(3)..=at).rfind(|at| !within(at));
    whole.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(payload: &str, tabs: Tabs, longest: Option<usize>, expected: &str, cut: u64) {
        let messages = Messages::new(MessageSettings { tabs, longest });
        let mut out = b"head ".to_vec();
        messages.write(payload.as_bytes(), 2, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("head {expected}"));
        assert_eq!(messages.shortened().get(), cut);
    }

    #[test]
    fn tabs() {
        check("a\tb\t", Tabs::Keep, None, "a\tb\t", 0);
        check("a\tb\t", Tabs::Escape, None, "a\\tb\\t", 0);
        check("a\tb\t", Tabs::Replace, None, "a b ", 0);
    }

    #[test]
    fn long_messages_are_cut_between_characters_marked_and_counted() {
        check("0123456789", Tabs::Keep, Some(12), "0123456789", 0);
        check("0123456789", Tabs::Keep, Some(11), "012345...", 1);
        check("ääääää", Tabs::Keep, Some(12), "äää...", 1);
        check("ääääää", Tabs::Keep, Some(13), "ääää...", 1);
        check("😀😀😀", Tabs::Keep, Some(12), "😀...", 1);
        check("a\tbcdef", Tabs::Escape, Some(8), "a\\t...", 1);
        check("0123456789", Tabs::Keep, Some(4), "..", 1);
        check("0123456789", Tabs::Keep, Some(0), "", 1);
        check(
            &"x".repeat(100_000),
            Tabs::Keep,
            None,
            &"x".repeat(100_000),
            0,
        );
    }
}
