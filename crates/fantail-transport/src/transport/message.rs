//! Conversion of payloads to log messages: TABs and the length limit.
//!
//! Syslog receivers wrap or cut long messages, and some rewrite TABs. Messages
//! are therefore cut here, between characters, marked, and counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Last bytes of a message that was cut.
const CUT_MARK: &[u8] = b"...";

/// How a payload becomes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageSettings {
    /// The treatment of TABs.
    pub tabs: Tabs,
    /// Bytes of the longest message, including the mark of a cut. `None` is
    /// the default of the transport: no limit for a log,
    /// [`SYSLOG_MESSAGE_BYTES`](crate::SYSLOG_MESSAGE_BYTES) for syslog.
    pub longest: Option<usize>,
}

/// The treatment of TABs in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tabs {
    /// TABs are kept. rsyslog writes `#011` for them by default.
    #[default]
    Keep,
    /// TABs become a backslash and a `t`.
    Escape,
    /// TABs become spaces.
    Replace,
}

/// Counter of messages that were cut. A message that is sent again counts
/// again. Clones share the counter.
#[derive(Debug, Clone, Default)]
pub struct Shortened(Arc<AtomicU64>);

impl Shortened {
    /// Returns the number of cut messages.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Converts payloads to messages.
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

    /// Returns the bytes of the longest message.
    pub(crate) fn longest(&self) -> usize {
        self.settings.longest.unwrap_or(usize::MAX)
    }

    /// Appends a message. `used` bytes of the limit are taken by its header.
    pub(crate) fn write(&self, payload: &[u8], used: usize, out: &mut Vec<u8>) {
        let start = out.len();
        match self.settings.tabs {
            Tabs::Keep => out.extend_from_slice(payload),
            Tabs::Escape => write_without_tabs(payload, b"\\t", out),
            Tabs::Replace => write_without_tabs(payload, b" ", out),
        }
        let room = self.longest().saturating_sub(used);
        if out.len() - start > room {
            let kept = room.saturating_sub(CUT_MARK.len());
            let (_, message) = out.split_at(start);
            let end = start + before_character(message, kept);
            out.truncate(end);
            out.extend(CUT_MARK.iter().take(room));
            self.count();
        }
    }

    /// Counts a message that was cut elsewhere.
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

/// Returns the last position up to `at` that is not within a character.
fn before_character(text: &[u8], at: usize) -> usize {
    let within = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three bytes after its first.
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
