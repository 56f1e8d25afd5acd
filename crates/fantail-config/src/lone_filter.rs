//! A filter that stands in no configuration, drawn like one that does.

use std::sync::Arc;

use fantail_syntax::ParseErrors;

use crate::{
    diagnostic::Diagnostics,
    metric::filter_error,
    render::{self, Style},
    source::{Sources, Span},
    text::Text,
};

/// Draws the errors of a filter that was given by itself, say on a command
/// line; `name` stands for the file's.
#[must_use]
pub fn render_filter_errors(name: &str, text: &[u8], errors: &ParseErrors, style: Style) -> String {
    let mut sources = Sources::default();
    let Some(file) = sources.add(name.as_bytes().to_vec(), Arc::from(text), None) else {
        // Larger than any limit on filters allows.
        return errors.to_string();
    };
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut whole = Text::empty(Span {
        file,
        start: 0,
        end,
    });
    for (at, byte) in (0..).zip(text) {
        whole.push(*byte, file, at);
    }
    let mut diagnostics = Diagnostics::default();
    for error in errors {
        diagnostics.push(filter_error(error, &whole));
    }
    render::render(&diagnostics, &sources, style)
}
