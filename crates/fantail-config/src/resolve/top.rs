//! Resolving the `group_by` method `top`, an extension: the heavy hitters of a metric.

use fantail_metrics::{Modifier, Top, TopError};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::Span,
    resolve::modifier,
    resolve::number::{number, number_setting},
    schema::Key,
    schema::context::Context,
    schema::section::Section,
};

/// The arguments of the method.
#[derive(Debug, Default)]
struct Arguments {
    shown: Option<u64>,
    counters: Option<u64>,
    weight: Option<Vec<u8>>,
    modifiers: Vec<Modifier>,
}

impl Arguments {
    fn top(self, field: &[u8]) -> Result<Top, TopError> {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let shown = self.shown.map_or(Top::SHOWN, small);
        let counters = self.counters.map_or(Top::COUNTERS, small);
        let top = Top::new(field)
            .modified(self.modifiers)
            .weighted(self.weight);
        top.sized(shown, counters)
    }
}

/// Resolves the arguments of 2.3's `field:top:10:weight=field:counters=1000:%{domain}`,
/// in any order.
pub(super) fn from_words(
    field: &[u8],
    words: &[&[u8]],
    span: Span,
) -> Result<Top, Box<Diagnostic>> {
    let mut arguments = Arguments::default();
    for word in words {
        if let Some(field) = word
            .strip_prefix(b"weight=")
            .filter(|field| !field.is_empty())
        {
            arguments.weight = Some(field.to_vec());
        } else if let Some(counters) = word.strip_prefix(b"counters=").and_then(number) {
            arguments.counters = Some(counters);
        } else if let Some(shown) = number(word) {
            arguments.shown = Some(shown);
        } else if word.starts_with(b"%") {
            let parsed = modifier::parse_short(word);
            arguments.modifiers = parsed.map_err(|reason| modifier::error(&reason, span))?;
        } else {
            let word = String::from_utf8_lossy(word);
            let message = format!("group_by method `top` has no argument `{word}`");
            return Err(Box::new(
                Diagnostic::new(Code::MethodArguments, message, span)
                    .label("expected a number, `weight=FIELD`, `counters=NUMBER`, or a modifier"),
            ));
        }
    }
    arguments.top(field).map_err(|error| error_at(error, span))
}

/// Resolves 2.4's `method top { shown; counters; weight; modifier }` of a field. Reports
/// errors and returns `None`.
pub(super) fn from_section(
    field: &[u8],
    section: &Section<'_>,
    context: &mut Context<'_>,
) -> Option<Top> {
    let shown = number_setting(section, Key::Shown, context);
    let counters = number_setting(section, Key::Counters, context);
    let weight = match section.last(Key::Weight) {
        None => None,
        Some(setting) => Some(context.value(setting)?.bytes().to_vec()),
    };
    let modifiers = match section.last(Key::Modifier) {
        None => Vec::new(),
        Some(setting) => {
            let text = context.value(setting)?;
            let parsed = modifier::parse(text.bytes());
            let parsed = parsed.map_err(|reason| modifier::error(&reason, text.span()));
            parsed.map_err(|error| context.push(*error)).ok()?
        }
    };
    let arguments = Arguments {
        shown: shown?,
        counters: counters?,
        weight: weight.filter(|field| !field.is_empty()),
        modifiers,
    };
    match arguments.top(field) {
        Ok(top) => Some(top),
        Err(error) => {
            let key = match error {
                TopError::Shown => Key::Shown,
                _ => Key::Counters,
            };
            let setting = section.last(key);
            let place = setting.map_or(section.span, |setting| setting.written);
            context.push(*error_at(error, place));
            None
        }
    }
}

fn error_at(error: TopError, span: Span) -> Box<Diagnostic> {
    let message = format!("group_by method `top`: {error}");
    Box::new(Diagnostic::new(Code::MethodArguments, message, span))
}
