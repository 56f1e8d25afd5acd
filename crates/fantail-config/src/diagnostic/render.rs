//! Rendering diagnostics: the only module that draws them.

use annotate_snippets::{
    AnnotationKind, Group, Level, Message, Renderer, Snippet, renderer::DecorStyle,
};

use bstr::ByteSlice;

use crate::{
    diagnostic::code::Severity,
    diagnostic::source::{Sources, Span},
    diagnostic::{Diagnostic, DiagnosticLabel, Diagnostics, Note, NoteKind},
};

/// The style of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without colours.
    Plain,
    /// With the terminal's colours.
    Coloured,
}

/// Data to draw: a [`Diagnostic`], or the finding of another checker.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The severity.
    pub severity: Severity,
    /// The stable name of the kind.
    pub code: &'a str,
    /// The message: lowercase, without a full stop.
    pub message: &'a str,
    /// The position.
    pub primary: Option<&'a DiagnosticLabel>,
    /// Further remarks.
    pub notes: &'a [Note],
}

impl<'a> From<&'a Diagnostic> for Report<'a> {
    fn from(one: &'a Diagnostic) -> Self {
        Self {
            severity: one.severity(),
            code: one.code.as_str(),
            message: &one.message,
            primary: one.primary.as_ref(),
            notes: &one.notes,
        }
    }
}

impl Report<'_> {
    /// Formats the report as `file:line:column: error[code]: message`.
    #[must_use]
    pub fn to_line(&self, sources: &Sources) -> String {
        let (severity, code) = (self.severity.as_str(), self.code);
        let message = printable(self.message);
        match self.primary {
            None => format!("{severity}[{code}]: {message}"),
            Some(label) => {
                let name = name(sources, label.span);
                let place = sources.position(label.span);
                let (line, column) = (place.line, place.column);
                format!("{name}:{line}:{column}: {severity}[{code}]: {message}")
            }
        }
    }
}

/// Draws all diagnostics with their lines, an empty line after each.
#[must_use]
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    render_reports(diagnostics.iter().map(Report::from), sources, style)
}

/// Draws reports with their lines, an empty line after each.
#[must_use]
pub fn render_reports<'a>(
    reports: impl IntoIterator<Item = Report<'a>>,
    sources: &Sources,
    style: Style,
) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for one in reports {
        text.push_str(&draw(&one, sources, &renderer));
        text.push_str("\n\n");
    }
    text
}

fn draw(one: &Report<'_>, sources: &Sources, renderer: &Renderer) -> String {
    let level = match one.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::INFO.with_name("hint"),
    };
    let title = level.primary_title(printable(one.message)).id(one.code);
    let Some(label) = one.primary else {
        let notes = one.notes.iter().map(|note| remark(note, sources));
        let notes = notes.map(message);
        return renderer.render(&[Group::with_title(title).elements(notes)]);
    };
    let excerpt = Excerpt::new(sources, label.span);
    let name = name(sources, label.span);
    let annotation = AnnotationKind::Primary.span(excerpt.range(label.span));
    let annotation = match label.text.as_str() {
        "" => annotation,
        text => annotation.label(printable(text)),
    };
    let mut snippet = Snippet::source(excerpt.text.as_str())
        .line_start(excerpt.first_line)
        .path(name)
        .annotation(annotation);
    let mut notes = Vec::new();
    for note in one.notes {
        match note.span {
            Some(span) if excerpt.covers(span) => {
                let context = AnnotationKind::Context.span(excerpt.range(span));
                snippet = snippet.annotation(context.label(printable(&note.text)));
            }
            _ => notes.push(remark(note, sources)),
        }
    }
    let mut group = title.element(snippet);
    group = group.elements(notes.into_iter().map(message));
    renderer.render(&[group])
}

/// Returns a note as the renderer takes it.
fn message<'a>((kind, text): (NoteKind, String)) -> Message<'a> {
    let level = match kind {
        NoteKind::Note => Level::NOTE,
        NoteKind::Help => Level::HELP,
    };
    level.message(text)
}

/// Returns the text of a note, with its position.
fn remark(note: &Note, sources: &Sources) -> (NoteKind, String) {
    let Some(span) = note.span else {
        return (note.kind, printable(&note.text));
    };
    let (name, place) = (name(sources, span), sources.position(span));
    let text = printable(&note.text);
    (
        note.kind,
        format!("{text} ({name}:{}:{})", place.line, place.column),
    )
}

/// Returns the printable name of a file.
fn name(sources: &Sources, span: Span) -> String {
    printable(&String::from_utf8_lossy(sources.name(span.file)))
}

/// Replaces control characters: a quoted part of a file must not control the
/// terminal.
fn printable(words: &str) -> String {
    // Nearly all texts: copied at once.
    if words
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
    {
        return words.to_owned();
    }
    let mut shown = String::with_capacity(words.len());
    for character in words.chars() {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The lines of a span as text, with the offsets of the file's bytes in it.
struct Excerpt {
    text: String,
    first_line: usize,
    span: Span,
    /// The offset in the file and in the text, for each character and for the
    /// end: bytes that are not UTF-8 become characters of other lengths.
    places: Vec<(usize, usize)>,
}

/// The maximum number of lines of a span; of longer ones, only the first line
/// is shown.
const MAX_LINES: usize = 20;

impl Excerpt {
    fn new(sources: &Sources, span: Span) -> Self {
        let file = sources.text(span.file);
        let range = span.range();
        let before = file.get(..range.start).unwrap_or_default();
        let start = before.rfind_byte(b'\n').map_or(0, |at| at + 1);
        let inside = file.get(range.clone()).unwrap_or_default();
        let last = match inside.find_iter(b"\n").count() {
            lines if lines < MAX_LINES => range.end,
            _ => range.start,
        };
        let behind = file.get(last..).unwrap_or_default();
        let end = behind.find_byte(b'\n').map_or(file.len(), |at| last + at);
        let bytes = file.get(start..end).unwrap_or_default();
        let mut text = String::with_capacity(bytes.len());
        let mut places = Vec::with_capacity(bytes.len() + 1);
        for (from, _, character) in bytes.char_indices() {
            places.push((start + from, text.len()));
            text.push(character);
        }
        places.push((end, text.len()));
        Self {
            text,
            first_line: sources.position(span).line,
            span: Span {
                start: span.start - u32::try_from(range.start - start).unwrap_or(0),
                end: u32::try_from(end).unwrap_or(u32::MAX),
                ..span
            },
            places,
        }
    }

    fn covers(&self, span: Span) -> bool {
        span.file == self.span.file && self.span.start <= span.start && span.end <= self.span.end
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let range = span.range();
        let start = self.place(range.start);
        start..self.place(range.end).max(start)
    }

    fn place(&self, offset: usize) -> usize {
        let at = self
            .places
            .partition_point(|(in_file, _)| *in_file < offset);
        self.places
            .get(at)
            .map_or(self.text.len(), |(_, in_text)| *in_text)
    }
}
