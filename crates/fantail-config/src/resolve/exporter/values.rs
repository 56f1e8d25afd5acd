//! Typed values of a section's settings.
//!
//! Each reader gives `None` for a setting that is not given, and for one that
//! is wrong; the second is reported and remembered, so that one run finds
//! everything that is wrong.

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

/// The settings of one exporter, to be read.
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

    /// Whether all that was read was right.
    pub(super) fn is_good(&self) -> bool {
        self.good
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.context.dialect
    }

    /// Reports something that is wrong.
    pub(super) fn wrong(&mut self, diagnostic: Diagnostic) {
        self.good = false;
        self.context.push(diagnostic);
    }

    /// The setting, unless it is blank.
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

    pub(super) fn path(&mut self, key: impl Into<Key>) -> Option<PathBuf> {
        self.text(key).map(|text| bytes_to_path(text.bytes()))
    }

    /// A number; 0 stands for none.
    pub(super) fn count(&mut self, key: impl Into<Key>) -> Option<NonZeroU32> {
        NonZeroU32::new(self.number(key)?)
    }

    pub(super) fn number(&mut self, key: impl Into<Key>) -> Option<u32> {
        let text = self.text(key)?;
        let number = std::str::from_utf8(text.bytes()).ok();
        // A sign is no part of Dovecot's numbers.
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

    /// A size of what is in memory.
    pub(super) fn memory(&mut self, key: impl Into<Key>) -> Option<usize> {
        let bytes = self.size(key)?;
        Some(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// An interval; 0 and for ever are both none.
    pub(super) fn interval(&mut self, key: impl Into<Key>) -> Option<Duration> {
        self.timeout(key).flatten()
    }

    /// A timeout; `Some(None)` never strikes.
    #[allow(clippy::option_option, reason = "not given, for ever, and so long")]
    pub(super) fn timeout(&mut self, key: impl Into<Key>) -> Option<Option<Duration>> {
        let text = self.text(key)?;
        match interval::parse(text.bytes(), self.context.dialect) {
            // To Dovecot's clients 0 means no timeout.
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

    /// One of several words.
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

    /// The words of a list.
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

/// The bytes of a configuration as a path.
pub(super) fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
