//! Typed values of a section's settings.
//!
//! Each reader returns `None` for a missing setting and for an invalid one. It
//! reports and counts an invalid one, so that one run reports all errors.

use std::{
    ffi::OsStr, num::NonZeroU32, os::unix::ffi::OsStrExt as _, path::PathBuf, time::Duration,
};

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Spanned, resolve::interval,
    resolve::size, schema::Key, schema::context::Context, schema::list, schema::section::Section,
    syntax::raw::RawSetting, syntax::text::Text,
};

use super::{is_blank, unknown};

/// A reader of the settings of one exporter.
pub(super) struct Values<'v, 's, 'c> {
    pub(super) section: &'v Section<'s>,
    context: &'v mut Context<'c>,
    good: bool,
}

impl<'v, 's, 'c> Values<'v, 's, 'c> {
    pub(super) fn new(section: &'v Section<'s>, context: &'v mut Context<'c>) -> Self {
        Self {
            section,
            context,
            good: true,
        }
    }

    /// Returns whether all settings are valid so far.
    pub(super) fn is_good(&self) -> bool {
        self.good
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.context.dialect
    }

    /// Reports an invalid setting.
    pub(super) fn wrong(&mut self, diagnostic: Diagnostic) {
        self.good = false;
        self.context.push(diagnostic);
    }

    /// Returns the setting, unless it is blank.
    pub(super) fn setting(&self, key: impl Into<Key>) -> Option<&'s RawSetting> {
        let setting = self.section.last(key.into());
        setting.filter(|setting| !is_blank(setting))
    }

    pub(super) fn text(&mut self, key: impl Into<Key>) -> Option<&'s Text> {
        let text = self.context.value(self.setting(key)?);
        self.good &= text.is_some();
        text
    }

    pub(super) fn bytes(&mut self, key: impl Into<Key>) -> Option<Vec<u8>> {
        self.text(key).map(|text| text.bytes().to_vec())
    }

    /// Returns permissions: an octal number.
    pub(super) fn permissions(&mut self, key: impl Into<Key>) -> Option<u32> {
        let text = self.text(key)?;
        let digits = std::str::from_utf8(text.bytes()).ok();
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
        let mode = mode.filter(|mode| *mode <= 0o777);
        if mode.is_none() {
            let expected = "an octal number like `0640`, at most `0777`";
            self.invalid(Code::InvalidNumber, text, expected);
        }
        mode
    }

    pub(super) fn path(&mut self, key: impl Into<Key>) -> Option<PathBuf> {
        self.text(key).map(|text| bytes_to_path(text.bytes()))
    }

    /// Returns a number; 0 is no number.
    pub(super) fn count(&mut self, key: impl Into<Key>) -> Option<NonZeroU32> {
        NonZeroU32::new(self.number(key)?)
    }

    pub(super) fn number(&mut self, key: impl Into<Key>) -> Option<u32> {
        let text = self.text(key)?;
        let number = std::str::from_utf8(text.bytes()).ok();
        // Dovecot's numbers have no sign.
        let number = number.filter(|number| !number.starts_with('+'));
        let number = number.and_then(|number| number.parse().ok());
        if number.is_none() {
            self.invalid(Code::InvalidNumber, text, "a whole number below 4294967296");
        }
        number
    }

    pub(super) fn size(&mut self, key: impl Into<Key>) -> Option<u64> {
        let text = self.text(key)?;
        let size = size::parse(text.bytes());
        if size.is_none() {
            self.invalid(Code::InvalidNumber, text, "a size like `64M`");
        }
        size
    }

    /// Returns a size in memory.
    pub(super) fn memory(&mut self, key: impl Into<Key>) -> Option<usize> {
        let bytes = self.size(key)?;
        Some(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Returns an interval; 0 and unlimited are both `None`.
    pub(super) fn interval(&mut self, key: impl Into<Key>) -> Option<Duration> {
        self.timeout(key).flatten()
    }

    /// Returns a timeout; `Some(None)` is unlimited.
    #[allow(clippy::option_option, reason = "not given, for ever, and so long")]
    pub(super) fn timeout(&mut self, key: impl Into<Key>) -> Option<Option<Duration>> {
        let text = self.text(key)?;
        match interval::parse(text.bytes(), self.context.dialect) {
            // In Dovecot's clients, 0 is unlimited.
            Ok(timeout) => Some(timeout.filter(|timeout| !timeout.is_zero())),
            Err(error) => {
                let value = String::from_utf8_lossy(text.bytes());
                let message = format!("invalid time interval `{value}`: {}", error.reason());
                self.wrong(
                    Diagnostic::new(Code::InvalidInterval, message, text.span())
                        .help("write it like `250ms` or `5 secs`"),
                );
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, key: impl Into<Key>) -> Option<bool> {
        let text = self.text(key)?;
        let value = list::boolean(text.bytes());
        if value.is_none() {
            self.invalid(Code::InvalidBoolean, text, "`yes` or `no`");
        }
        value
    }

    /// Returns the value of one of several words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: impl Into<Key>,
        what: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        let mut known = choices.iter();
        let found = known.find(|(name, _)| name.as_bytes() == text.bytes());
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(unknown(Code::UnknownValue, what, text, &names));
        }
        found.map(|(_, choice)| *choice)
    }

    /// Returns the words of a list.
    pub(super) fn words(&mut self, key: impl Into<Key>) -> Vec<Spanned<Vec<u8>>> {
        let words = list::resolve(self.section, key.into(), &[], self.context);
        words.unwrap_or_default()
    }

    pub(super) fn invalid(&mut self, code: Code, text: &Text, expected: &str) {
        let value = String::from_utf8_lossy(text.bytes());
        self.wrong(
            Diagnostic::new(code, format!("{}: `{value}`", code.title()), text.span())
                .label(format!("expected {expected}")),
        );
    }
}

/// Converts bytes of a configuration to a path.
pub(super) fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
