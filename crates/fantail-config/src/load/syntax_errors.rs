//! Diagnostics of syntax errors.

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Sources, Span},
    syntax::statement::SyntaxError,
};

/// Returns one error for all blocks of a file that are not closed, if there are
/// any.
pub(crate) fn unclosed(blocks: &[Span], sources: &Sources) -> Option<Diagnostic> {
    let (first, others) = blocks.split_first()?;
    let head = |span| {
        let head = sources.slice(span);
        let head = head.strip_suffix(b"{").unwrap_or(head).trim_ascii_end();
        String::from_utf8_lossy(head).into_owned()
    };
    let message = format!("`{}` is never closed", head(*first));
    let mut diagnostic = Diagnostic::new(Code::UnclosedBlock, message, *first);
    for other in others {
        diagnostic = diagnostic.note_at(format!("neither is `{}`", head(*other)), *other);
    }
    let help = "write `}` in a line of its own where the block ends";
    Some(diagnostic.help(help))
}

/// Returns the diagnostic of a syntax error or warning.
pub(crate) fn report(error: &SyntaxError) -> Diagnostic {
    let diagnostic = Diagnostic::new(error.code, error.code.title(), error.span);
    match error.code {
        Code::LostContinuation => {
            diagnostic.note("Dovecot forgets a line that continues in a blank line or a comment")
        }
        Code::ExpectedBrace => diagnostic
            .note("a block begins with `name {` or `name argument {` in a line of its own"),
        _ => diagnostic,
    }
}
