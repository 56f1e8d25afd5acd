//! Whole numbers.

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, schema::Key, schema::context::Context,
    schema::section::Section,
};

/// Parses digits to a number of at most 2⁶³−1.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    u64::try_from(number).ok()
}

/// Returns the number of a setting: `Some(None)` if the section does not have it. Reports
/// an error and returns `None` if it is no number.
#[allow(clippy::option_option, reason = "a missing setting is no error")]
pub(super) fn number_setting(
    section: &Section<'_>,
    key: Key,
    context: &mut Context<'_>,
) -> Option<Option<u64>> {
    let Some(setting) = section.last(key) else {
        return Some(None);
    };
    let text = context.value(setting)?;
    let found = number(text.bytes());
    if found.is_none() {
        let value = String::from_utf8_lossy(text.bytes());
        let message = format!("`{value}` is not a number from 0 to 2⁶³−1");
        context.push(Diagnostic::new(Code::InvalidNumber, message, text.span()));
    }
    found.map(Some)
}
