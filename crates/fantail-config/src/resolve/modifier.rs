//! `modifier = %{value | domain | upper}`: what is done to a value before it
//! chooses a sub-metric.
//!
//! Dovecot takes any of its variable expansions here; those that
//! [`Modifier`] knows are all that are supported.

use fantail_metrics::Modifier;

use crate::{diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Span};

const NAMES: [(&str, Modifier); 4] = [
    ("domain", Modifier::Domain),
    ("username", Modifier::Username),
    ("lower", Modifier::Lower),
    ("upper", Modifier::Upper),
];

/// 2.4: `%{value | domain | upper}`; empty means as it is.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Modifier>, String> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let inner = text
        .strip_prefix(b"%{")
        .and_then(|rest| rest.strip_suffix(b"}"))
        .filter(|inner| !inner.iter().any(|byte| matches!(byte, b'{' | b'}')))
        .ok_or("it is not of the form `%{value | …}`")?;
    let mut parts = inner.split(|byte| *byte == b'|').map(<[u8]>::trim_ascii);
    match parts.next() {
        Some(b"value") => {}
        other => {
            let name = String::from_utf8_lossy(other.unwrap_or_default()).into_owned();
            return Err(format!("the only variable is `value`, not `{name}`"));
        }
    }
    parts.map(named).collect()
}

/// 2.3.21: `%{domain}`, `%d` and the like.
pub(crate) fn parse_short(text: &[u8]) -> Result<Vec<Modifier>, String> {
    match text {
        b"%d" => Ok(vec![Modifier::Domain]),
        b"%n" => Ok(vec![Modifier::Username]),
        _ => {
            let inner = text
                .strip_prefix(b"%{")
                .and_then(|rest| rest.strip_suffix(b"}"));
            let inner = inner.ok_or("it is not of the form `%{domain}`")?;
            Ok(vec![named(inner)?])
        }
    }
}

fn named(name: &[u8]) -> Result<Modifier, String> {
    let found = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
    found.map(|(_, modifier)| *modifier).ok_or_else(|| {
        let name = String::from_utf8_lossy(name);
        format!("`{name}` is none of `domain`, `username`, `lower`, `upper`")
    })
}

/// What a modifier is called.
pub(crate) fn name(modifier: Modifier) -> &'static str {
    let found = NAMES.iter().find(|(_, known)| *known == modifier);
    found.map_or("", |(name, _)| name)
}

pub(crate) fn error(reason: &str, span: Span) -> Box<Diagnostic> {
    let message = format!("invalid modifier: {reason}");
    Box::new(Diagnostic::new(Code::InvalidModifier, message, span))
}
