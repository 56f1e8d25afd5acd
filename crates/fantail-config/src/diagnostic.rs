//! What is wrong with a configuration, and where.
//!
//! Plain data; how it looks to a reader is decided in [`crate::render`] only.

pub(crate) mod code;
pub(crate) mod lone_filter;
pub(crate) mod render;
pub(crate) mod source;
pub(crate) mod suggest;

use crate::{
    diagnostic::code::{Code, Severity},
    diagnostic::source::{Sources, Span},
};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of thing; its severity with it.
    pub code: Code,
    /// What is wrong in particular: lowercase, without a full stop.
    pub message: String,
    /// Where; `None` only if the main file could not be read.
    pub primary: Option<DiagnosticLabel>,
    /// What else there is to know.
    pub notes: Vec<Note>,
}

/// A place with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosticLabel {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// A further remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it explains or advises.
    pub kind: NoteKind,
    /// The remark.
    pub text: String,
    /// The place it is about, if it is about one.
    pub span: Option<Span>,
}

/// What a [`Note`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// It explains.
    Note,
    /// It says what to do.
    Help,
}

impl Diagnostic {
    /// A diagnostic without further notes.
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

    /// The same with a remark at its place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// The same with an explanation.
    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Note, text.into(), None)
    }

    /// The same with an explanation about another place.
    #[must_use]
    pub fn note_at(self, text: impl Into<String>, span: Span) -> Self {
        self.with(NoteKind::Note, text.into(), Some(span))
    }

    /// The same with an advice.
    #[must_use]
    pub fn help(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Help, text.into(), None)
    }

    /// The same with "did you mean", if there is something to suggest.
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

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    limit: usize,
}

impl Diagnostics {
    /// None yet; from `limit` on, more are left out.
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

    /// Whether no more are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() > self.limit
    }

    /// Puts them in the order of files and lines; those about no place first.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|one| {
            one.primary
                .as_ref()
                .map(|label| (label.span.file, label.span.start))
        });
    }

    /// All of them, in the order of files and lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many errors there are.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Whether there is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// Whether there is nothing, not even a warning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One line each: `file:line:column: error[code]: message`.
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
