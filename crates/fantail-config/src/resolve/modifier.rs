//! `modifier = %{value | domain | upper}`: changes a value before it chooses a
//! sub-metric.
//!
//! Dovecot allows all of its variable expansions here; fantail supports those
//! of [`Modifier`].

use std::fmt;

use fantail_metrics::Modifier;

use crate::{diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Span};

const NAMES: [(&str, Modifier); 4] = [
    ("domain", Modifier::Domain),
    ("username", Modifier::Username),
    ("lower", Modifier::Lower),
    ("upper", Modifier::Upper),
];

/// The reason why a modifier is invalid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ModifierError {
    /// The text has another form than this one.
    Form(&'static str),
    /// A variable other than `value`.
    Variable(Vec<u8>),
    /// An unknown change of the value.
    Unknown(Vec<u8>),
}

impl fmt::Display for ModifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(form) => write!(f, "it is not of the form `{form}`"),
            Self::Variable(name) => {
                let name = String::from_utf8_lossy(name);
                write!(f, "the only variable is `value`, not `{name}`")
            }
            Self::Unknown(name) => {
                let name = String::from_utf8_lossy(name);
                write!(
                    f,
                    "`{name}` is none of `domain`, `username`, `lower`, `upper`"
                )
            }
        }
    }
}

impl std::error::Error for ModifierError {}

/// Parses 2.4's `%{value | domain | upper}`; an empty text changes nothing.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Modifier>, ModifierError> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let inner = text
        .strip_prefix(b"%{")
        .and_then(|rest| rest.strip_suffix(b"}"))
        .filter(|inner| !inner.iter().any(|byte| matches!(byte, b'{' | b'}')))
        .ok_or(ModifierError::Form("%{value | …}"))?;
    let (variable, changes) = match inner.iter().position(|byte| *byte == b'|') {
        Some(bar) => inner.split_at(bar),
        None => (inner, &[][..]),
    };
    if variable.trim_ascii() != b"value" {
        let name = variable.trim_ascii().to_vec();
        return Err(ModifierError::Variable(name));
    }
    let changes = changes.split(|byte| *byte == b'|').skip(1);
    changes.map(|name| named(name.trim_ascii())).collect()
}

/// Parses 2.3.21's `%{domain}`, `%d` and similar.
pub(crate) fn parse_short(text: &[u8]) -> Result<Vec<Modifier>, ModifierError> {
    match text {
        b"%d" => Ok(vec![Modifier::Domain]),
        b"%n" => Ok(vec![Modifier::Username]),
        _ => {
            let inner = text
                .strip_prefix(b"%{")
                .and_then(|rest| rest.strip_suffix(b"}"));
            let inner = inner.ok_or(ModifierError::Form("%{domain}"))?;
            Ok(vec![named(inner)?])
        }
    }
}

fn named(name: &[u8]) -> Result<Modifier, ModifierError> {
    let found = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
    found
        .map(|(_, modifier)| *modifier)
        .ok_or_else(|| ModifierError::Unknown(name.to_vec()))
}

/// Returns the name of a modifier.
pub(crate) fn name(modifier: Modifier) -> &'static str {
    let found = NAMES.iter().find(|(_, known)| *known == modifier);
    found.map_or("", |(name, _)| name)
}

pub(crate) fn error(reason: &ModifierError, span: Span) -> Box<Diagnostic> {
    let message = format!("invalid modifier: {reason}");
    Box::new(Diagnostic::new(Code::InvalidModifier, message, span))
}
