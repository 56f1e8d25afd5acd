//! Reports about a filter outside of a configuration.
//!
//! Errors and warnings have the codes of the filter language. In a
//! configuration, an error is `config/filter-syntax` and names the other code.

use std::sync::Arc;

use fantail_filter::{Advice, Warning};
use fantail_syntax::{ParseError, ParseErrors, Shown};

use crate::{
    diagnostic::code::Severity,
    diagnostic::render::{Report, Style, render_reports},
    diagnostic::source::{self, FileId, Sources, Span},
    diagnostic::{DiagnosticLabel, Note, NoteKind},
};

/// Draws the errors of a filter outside of a configuration, such as on a
/// command line; `name` replaces the file name.
///
/// ```
/// use fantail_config::{Style, render_filter_errors};
/// use fantail_filter::Filter;
///
/// let text = "user=a@b";
/// let errors = text.parse::<Filter>().unwrap_err();
/// let rendered = render_filter_errors("filter", text.as_bytes(), &errors, Style::Plain);
/// assert!(rendered.contains("not allowed outside double quotes"), "{rendered}");
/// ```
#[must_use]
pub fn render_filter_errors(name: &str, text: &[u8], errors: &ParseErrors, style: Style) -> String {
    let pictures = errors.iter().map(|error| of_error(error, text));
    draw(name, text, pictures, style).unwrap_or_else(|| errors.to_string())
}

/// Draws the warnings of a filter outside of a configuration, such as on a
/// command line; `name` replaces the file name.
///
/// ```
/// use fantail_config::{Style, render_filter_warnings};
/// use fantail_filter::Filter;
///
/// let text = "a=1 OR b=2 AND c=3";
/// let filter: Filter = text.parse()?;
/// let rendered = render_filter_warnings("filter", text.as_bytes(), &filter.warnings(), Style::Plain);
/// assert!(rendered.contains("AND and OR are mixed"), "{rendered}");
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[must_use]
pub fn render_filter_warnings(
    name: &str,
    text: &[u8],
    warnings: &[Warning],
    style: Style,
) -> String {
    let pictures = warnings.iter().map(|warning| of_warning(warning, text));
    draw(name, text, pictures, style).unwrap_or_default()
}

/// A report that owns its texts.
struct Picture {
    severity: Severity,
    code: &'static str,
    message: String,
    primary: DiagnosticLabel,
    notes: Vec<Note>,
}

impl Picture {
    fn report(&self) -> Report<'_> {
        Report {
            severity: self.severity,
            code: self.code,
            message: &self.message,
            primary: Some(&self.primary),
            notes: &self.notes,
        }
    }
}

/// Returns the report; `None` if the text exceeds all limits on filters.
fn draw(
    name: &str,
    text: &[u8],
    pictures: impl Iterator<Item = Picture>,
    style: Style,
) -> Option<String> {
    let mut sources = Sources::default();
    sources.add(name.as_bytes().to_vec(), Arc::from(text), None)?;
    let pictures: Vec<Picture> = pictures.collect();
    let reports = pictures.iter().map(Picture::report);
    Some(render_reports(reports, &sources, style))
}

fn label(range: std::ops::Range<usize>, text: &[u8], words: String) -> DiagnosticLabel {
    let offset = |at: usize| source::offset(at.min(text.len()));
    DiagnosticLabel {
        span: Span {
            file: FileId::MAIN,
            start: offset(range.start),
            end: offset(range.end),
        },
        text: words,
    }
}

fn help(text: String) -> Note {
    Note {
        kind: NoteKind::Help,
        text,
        span: None,
    }
}

fn of_error(error: &ParseError, text: &[u8]) -> Picture {
    let expected = error.expected().map(|words| format!("expected {words}"));
    let suggestion = error.suggestion();
    Picture {
        severity: Severity::Error,
        code: error.code(),
        message: error.to_string(),
        primary: label(error.span(), text, expected.unwrap_or_default()),
        notes: suggestion
            .map(|suggestion| help(suggestion.message().to_owned()))
            .into_iter()
            .collect(),
    }
}

fn of_warning(warning: &Warning, text: &[u8]) -> Picture {
    let explanation = warning.explanation().map(|words| Note {
        kind: NoteKind::Note,
        text: words.to_owned(),
        span: None,
    });
    let advice = warning
        .advice()
        .iter()
        .map(|advice| of_advice(advice, text));
    Picture {
        severity: Severity::Warning,
        code: warning.code(),
        message: warning.to_string(),
        primary: label(warning.span(), text, String::new()),
        notes: explanation.into_iter().chain(advice).collect(),
    }
}

/// The maximum length of a filter that a suggestion repeats with a change.
const REWRITTEN_BYTES: usize = 300;

fn of_advice(advice: &Advice, text: &[u8]) -> Note {
    help(advice_text(advice, text))
}

/// Returns the text of advice about a filter, with the corrected filter.
#[must_use]
pub fn advice_text(advice: &Advice, text: &[u8]) -> String {
    let rewritten = advice
        .apply(text)
        .filter(|rewritten| rewritten.len() <= REWRITTEN_BYTES);
    match rewritten {
        Some(rewritten) => format!(
            "{}: {}",
            advice.message(),
            Shown::up_to(&rewritten, REWRITTEN_BYTES)
        ),
        None => advice.message().to_owned(),
    }
}
