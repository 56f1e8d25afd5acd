//! Diagnostics: errors and warnings of a configuration, with their positions.
//!
//! They are plain data; only [`crate::render`] decides how they look.

pub(crate) mod code;
pub(crate) mod lone_filter;
pub(crate) mod render;
pub(crate) mod source;
pub(crate) mod suggest;

use crate::{
    diagnostic::code::{Code, Severity},
    diagnostic::source::{Sources, Span},
};

/// An error, warning or hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind, which includes the severity.
    pub code: Code,
    /// The message about this case: lowercase, without a full stop.
    pub message: String,
    /// The position; `None` only if the main file could not be read.
    pub primary: Option<DiagnosticLabel>,
    /// Further remarks.
    pub notes: Vec<Note>,
}

/// A position with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosticLabel {
    /// The position.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// A further remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether the note explains or advises.
    pub kind: NoteKind,
    /// The remark.
    pub text: String,
    /// The position that the note is about, if any.
    pub span: Option<Span>,
}

/// The purpose of a [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// An explanation.
    Note,
    /// Advice on what to do.
    Help,
}

impl Diagnostic {
    /// Creates a diagnostic without notes.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self {
            code,
            message: message.into(),
            primary: Some(DiagnosticLabel {
                span,
                text: String::new(),
            }),
            notes: Vec::new(),
        }
    }

    /// Adds a remark at the position.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds an explanation.
    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Note, text.into(), None)
    }

    /// Adds an explanation about another position.
    #[must_use]
    pub fn note_at(self, text: impl Into<String>, span: Span) -> Self {
        self.with(NoteKind::Note, text.into(), Some(span))
    }

    /// Adds advice.
    #[must_use]
    pub fn help(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Help, text.into(), None)
    }

    /// Adds "did you mean", if there is a suggestion.
    #[must_use]
    pub fn suggest(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    fn with(mut self, kind: NoteKind, text: String, span: Option<Span>) -> Self {
        self.notes.push(Note { kind, text, span });
        self
    }

    /// Returns the severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// The diagnostics of a configuration.
///
/// ```
/// use fantail_config::{Diagnostic, Diagnostics, LoadOptions, Severity, Style, load_text, render};
///
/// let text = "metric logins {\n  fliter = event=login\n}\n";
/// let loaded = load_text("dovecot.conf", text, &LoadOptions::default());
/// let diagnostics: &Diagnostics = &loaded.diagnostics;
/// assert!(diagnostics.has_errors());
/// let first: &Diagnostic = diagnostics.iter().next().unwrap();
/// assert_eq!(first.severity(), Severity::Error);
/// let rendered = render(diagnostics, &loaded.sources, Style::Plain);
/// assert!(rendered.contains("fliter"), "{rendered}");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    limit: usize,
}

impl Diagnostics {
    /// Creates an empty list; diagnostics above `limit` are omitted.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            limit,
        }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            return;
        }
        let place = diagnostic.primary.clone();
        self.list.push(diagnostic);
        if self.list.len() == self.limit {
            self.list.push(Diagnostic {
                code: Code::TooManyErrors,
                message: Code::TooManyErrors.title().to_owned(),
                primary: place,
                notes: Vec::new(),
            });
        }
    }

    /// Returns whether the limit is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() > self.limit
    }

    /// Sorts by file and line; diagnostics without a position come first.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|one| {
            one.primary
                .as_ref()
                .map(|label| (label.span.file, label.span.start))
        });
    }

    /// Returns all diagnostics in the order of files and lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Returns the number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// Returns the number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Returns whether there is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// Returns whether there are neither errors nor warnings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Formats each as one line: `file:line:column: error[code]: message`.
    #[must_use]
    pub fn to_lines(&self, sources: &Sources) -> String {
        let mut text = String::new();
        for one in &self.list {
            text.push_str(&render::Report::from(one).to_line(sources));
            text.push('\n');
        }
        text
    }

    fn count(&self, severity: Severity) -> usize {
        self.list
            .iter()
            .filter(|one| one.severity() == severity)
            .count()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
