//! Translation of filters.
//!
//! The text is unchanged except for keys and values that have to change.

use fantail_config::{Metric, Text};
use fantail_event::Dialect;
use fantail_syntax::{Comparison, Key, ValueKind};

use super::{Task, lost};
use crate::Finding;

impl Task<'_> {
    /// Returns the text of a metric's filter for the other series.
    pub(super) fn filter(&self, metric: &Metric, losses: &mut Vec<Finding>) -> Text {
        let mut edits = Vec::new();
        for comparison in metric.filter.tree().comparisons() {
            if let Key::Field(key) = &comparison.key {
                let name = self.field(key);
                if name != **key {
                    edits.push((comparison.key_span.clone(), word(&name)));
                }
            }
            let place = metric.filter_text.locate(comparison.value_span.clone());
            let value = match self.to {
                Dialect::V2_4 => for_2_4(comparison),
                Dialect::V2_3 => for_2_3(comparison),
            };
            if let Some(message) = value.lost {
                losses.push(lost(message, place));
            }
            if let Some(text) = value.text {
                edits.push((comparison.value_span.clone(), text));
            }
        }
        metric.filter_text.with_replaced(&edits)
    }
}

/// The translation of a value: the new text if it has to change, and the loss.
#[derive(Default)]
struct Carried {
    text: Option<Vec<u8>>,
    lost: Option<String>,
}

/// 2.4 keeps backslashes, and parses sizes, times and addresses.
fn for_2_4(comparison: &Comparison) -> Carried {
    let written = comparison.value.written();
    let mut carried = Carried::default();
    if written.contains(&b'\\') {
        carried.text = Some(quoted(written));
        if comparison.value.is_wild() && written.contains(&b'"') {
            carried.lost = Some("Dovecot 2.4 cannot tell this quote from `\\\"`".to_owned());
        }
    }
    let is_field = matches!(comparison.key, Key::Field(_));
    if is_field && comparison.value.kind() == ValueKind::Text && looks_measured(written) {
        let value = String::from_utf8_lossy(written);
        carried.lost = Some(format!(
            "Dovecot 2.4 reads `{value}` as a number with a unit: texts are compared with that number"
        ));
    }
    carried
}

/// Returns whether a text is a number with a unit.
fn looks_measured(value: &[u8]) -> bool {
    let text = format!("x=\"{}\"", String::from_utf8_lossy(value));
    let options = fantail_syntax::ParseOptions::new(Dialect::V2_4);
    let Ok(tree) = fantail_syntax::parse(text.as_bytes(), &options) else {
        return false;
    };
    let kind = tree.comparisons().first().map(|one| one.value.kind());
    matches!(kind, Some(ValueKind::Size(_) | ValueKind::Interval(_)))
}

/// 2.3 supports plain numbers and texts only.
fn for_2_3(comparison: &Comparison) -> Carried {
    let value = &comparison.value;
    let plain = value.plain();
    let mut carried = Carried::default();
    match value.kind() {
        ValueKind::Size(_) | ValueKind::Interval(_) => carried.text = Some(plain.to_vec()),
        ValueKind::Network(_) => {
            carried.text = Some(quoted(plain));
            if plain.contains(&b'/') {
                carried.lost = Some(
                    "Dovecot 2.3 knows no networks: this is compared as text, and never matches"
                        .to_owned(),
                );
            }
        }
        ValueKind::Integer(_) => {}
        ValueKind::Text | ValueKind::Ambiguous => {
            let unescaped = value.unescaped();
            let starred = unescaped.iter().any(|byte| matches!(byte, b'*' | b'?'));
            if value.written().contains(&b'\\') {
                carried.text = Some(quoted(&unescaped));
                if starred {
                    carried.lost =
                        Some("in Dovecot 2.3, `*` and `?` are always wildcards".to_owned());
                }
            } else if !is_word(plain) {
                carried.text = Some(quoted(plain));
            }
        }
    }
    carried
}

/// Returns whether a text needs no quotes in either series.
fn is_word(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b":.*?_-".contains(byte);
    !text.is_empty() && text.iter().all(plain)
}

fn word(text: &[u8]) -> Vec<u8> {
    if is_word(text) {
        text.to_vec()
    } else {
        quoted(text)
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    quoted
}
