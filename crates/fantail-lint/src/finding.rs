//! What was found, and where.

use fantail_config::{
    Diagnostic, DiagnosticLabel, Note, NoteKind, Report, Severity, Sources, Span,
};

use crate::{DoctorCode, LintCode};

/// One thing that was found: by this crate, or while the configuration was
/// read.
///
/// ```
/// use fantail_lint::{Catalogue, Finding, check, rank};
///
/// let text = "metric a {\n  filter = event=no_such_event\n}\n";
/// let loaded = fantail_config::load_text("a.conf", text, &Default::default());
/// let mut findings: Vec<Finding> = check(&loaded, &Catalogue::new(), &|_| false);
/// rank(&mut findings);
/// assert!(findings[0].to_line(&loaded.sources).starts_with("a.conf:2:"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of its kind: that of a [`LintCode`], a [`DoctorCode`] or a
    /// [`fantail_config::Code`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lowercase, without a full stop.
    pub message: String,
    /// Where; `None` if the main file could not be read, or if it is not about a file.
    pub primary: Option<DiagnosticLabel>,
    /// What else there is to know.
    pub notes: Vec<Note>,
}

impl Finding {
    pub(crate) fn new(code: LintCode, message: impl Into<String>, span: Span) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            message: message.into(),
            primary: Some(DiagnosticLabel {
                span,
                text: String::new(),
            }),
            notes: Vec::new(),
        }
    }

    /// One about an installation.
    pub(crate) fn doctor(code: DoctorCode, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            message: message.into(),
            primary: None,
            notes: Vec::new(),
        }
    }

    /// The same with the lines that it is about.
    pub(crate) fn at(mut self, span: Span) -> Self {
        let text = String::new();
        self.primary = Some(DiagnosticLabel { span, text });
        self
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    pub(crate) fn note(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Note, text.into())
    }

    pub(crate) fn help(self, text: impl Into<String>) -> Self {
        self.with(NoteKind::Help, text.into())
    }

    /// The same with "did you mean", if there is something to suggest.
    pub(crate) fn suggest(self, names: &[&str]) -> Self {
        if names.is_empty() {
            return self;
        }
        let names = enumerate(names, "or");
        self.help(format!("did you mean {names}?"))
    }

    fn with(mut self, kind: NoteKind, text: String) -> Self {
        let span = None;
        self.notes.push(Note { kind, text, span });
        self
    }

    /// It, ready to be drawn.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report {
            severity: self.severity,
            code: self.code,
            message: &self.message,
            primary: self.primary.as_ref(),
            notes: &self.notes,
        }
    }

    /// One line: `file:line:column: warning[code]: message`.
    #[must_use]
    pub fn to_line(&self, sources: &Sources) -> String {
        self.report().to_line(sources)
    }
}

impl From<&Diagnostic> for Finding {
    fn from(one: &Diagnostic) -> Self {
        Self {
            code: one.code.as_str(),
            severity: one.severity(),
            message: one.message.clone(),
            primary: one.primary.clone(),
            notes: one.notes.clone(),
        }
    }
}

/// `a`, `b` or `c`
pub(crate) fn enumerate(names: &[&str], last: &str) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        match index {
            0 => {}
            _ if index + 1 == names.len() => text.push_str(&format!(" {last} ")),
            _ => text.push_str(", "),
        }
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text
}
