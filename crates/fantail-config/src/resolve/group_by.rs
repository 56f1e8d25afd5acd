//! Resolving `group_by`: one line in 2.3, blocks in 2.4.

use fantail_metrics::{Exponential, GroupBy, Linear, Method, MethodError};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    diagnostic::suggest,
    resolve::modifier,
    schema::context::Context,
    schema::list,
    schema::section::{Named, Section, by_name},
    schema::{Key, Kind},
    syntax::text::Text,
};

const METHODS: [&str; 3] = ["discrete", "exponential", "linear"];

type Levels = Vec<Spanned<GroupBy>>;

/// Resolves 2.3's `group_by = field field:method:argument:argument`. Reports
/// errors and returns `None`.
pub(crate) fn from_line(section: &Section<'_>, context: &mut Context<'_>) -> Option<Levels> {
    let Some(setting) = section.last(Key::GroupBy) else {
        return Some(Vec::new());
    };
    let text = context.value(setting)?;
    let mut levels = Vec::new();
    let mut good = true;
    for word in list::words(text, context.dialect) {
        let mut parts = word.value.split(|byte| *byte == b':');
        let field = parts.next().unwrap_or_default().to_vec();
        let name = parts.next();
        let arguments: Vec<&[u8]> = parts.collect();
        match method(name, &arguments, word.span) {
            Ok(method) => levels.push(Spanned {
                value: GroupBy { field, method },
                span: word.span,
            }),
            Err(diagnostic) => {
                context.push(*diagnostic);
                good = false;
            }
        }
    }
    good.then_some(levels)
}

fn method(name: Option<&[u8]>, arguments: &[&[u8]], span: Span) -> Result<Method, Box<Diagnostic>> {
    match name {
        None => Ok(Method::Discrete(Vec::new())),
        Some(b"discrete") => match arguments {
            [] => Ok(Method::Discrete(Vec::new())),
            [modifier] => modifier::parse_short(modifier)
                .map(Method::Discrete)
                .map_err(|reason| modifier::error(&reason, span)),
            _ => Err(arguments_error("discrete", "at most one modifier", span)),
        },
        Some(name @ (b"exponential" | b"linear")) => {
            let exponential = name == b"exponential";
            let name = if exponential { "exponential" } else { "linear" };
            let numbers = numbers(arguments)
                .ok_or_else(|| arguments_error(name, "three numbers of 0 or more", span))?;
            let made = if exponential {
                exponential_of(numbers)
            } else {
                let [min, max, step] = numbers;
                Linear::new(min, max, step).map(Method::Linear)
            };
            made.map_err(|error| buckets_error(name, error, span))
        }
        Some(other) => Err(unknown_method(other, span)),
    }
}

fn numbers(arguments: &[&[u8]]) -> Option<[u64; 3]> {
    match arguments {
        [a, b, c] => Some([number(a)?, number(b)?, number(c)?]),
        _ => None,
    }
}

/// Parses digits to a number of at most 2⁶³−1.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    u64::try_from(number).ok()
}

fn exponential_of([min, max, base]: [u64; 3]) -> Result<Method, MethodError> {
    let small = |number: u64| u32::try_from(number).map_err(|_| MethodError::TooLarge);
    let base = u32::try_from(base).map_err(|_| MethodError::Base)?;
    Exponential::new(small(min)?, small(max)?, base).map(Method::Exponential)
}

/// Resolves 2.4's `group_by field { method exponential { … } }`. Reports errors
/// and returns `None`.
pub(crate) fn from_blocks<'a>(section: &Section<'a>, context: &mut Context<'a>) -> Option<Levels> {
    let blocks = section
        .nested
        .iter()
        .filter(|(key, _)| *key == Key::GroupBy);
    let mut levels = Vec::new();
    let mut good = true;
    for named in by_name(blocks.map(|(_, block)| *block)) {
        match level(&named, context) {
            Some(level) => levels.push(level),
            None => good = false,
        }
    }
    good.then_some(levels)
}

fn level<'a>(named: &Named<'a>, context: &mut Context<'a>) -> Option<Spanned<GroupBy>> {
    let section = Section::gather(Kind::GroupBy, named, &[], context)?;
    if named.blocks.iter().any(|block| block.argument.is_none()) {
        let message = "`group_by` names no field";
        context.push(Diagnostic::new(Code::EmptyName, message, section.span));
        return None;
    }
    let methods = section.nested.iter().filter(|(key, _)| *key == Key::Method);
    let methods = by_name(methods.map(|(_, block)| *block));
    let method = match methods.as_slice() {
        [] => Method::Discrete(Vec::new()),
        [one] => from_block(one, context)?,
        [first, second, ..] => {
            let span = |named: &Named<'_>| {
                named
                    .blocks
                    .first()
                    .map_or(section.span, |block| block.span)
            };
            let code = Code::TwoMethods;
            context.push(
                Diagnostic::new(code, code.title(), span(second))
                    .note_at("the first one is here", span(first)),
            );
            return None;
        }
    };
    let field = match section.last(Key::Field) {
        Some(setting) => context.value(setting)?,
        None => &section.name,
    };
    Some(Spanned {
        value: GroupBy {
            field: field.bytes().to_vec(),
            method,
        },
        span: field.span(),
    })
}

fn from_block<'a>(named: &Named<'a>, context: &mut Context<'a>) -> Option<Method> {
    let first = named.blocks.first()?;
    let name = first.argument.as_ref().map_or(&[][..], Text::bytes);
    if !METHODS.iter().any(|known| known.as_bytes() == name) {
        let place = first.argument.as_ref().map_or(first.span, Text::span);
        context.push(*unknown_method(name, place));
        return None;
    }
    let section = Section::gather(Kind::Method, named, &[], context)?;
    let number = |key, default, context: &mut Context<'a>| match section.last(key) {
        None => Some(default),
        Some(setting) => {
            let text = context.value(setting)?;
            let found = number(text.bytes());
            if found.is_none() {
                let value = String::from_utf8_lossy(text.bytes());
                let message = format!("`{value}` is not a number from 0 to 2⁶³−1");
                context.push(Diagnostic::new(Code::InvalidNumber, message, text.span()));
            }
            found
        }
    };
    let made = match section.name.bytes() {
        b"discrete" => {
            let Some(setting) = section.last(Key::Modifier) else {
                return Some(Method::Discrete(Vec::new()));
            };
            let text = context.value(setting)?;
            return match modifier::parse(text.bytes()) {
                Ok(modifiers) => Some(Method::Discrete(modifiers)),
                Err(reason) => {
                    context.push(*modifier::error(&reason, text.span()));
                    None
                }
            };
        }
        b"exponential" => {
            let min = number(Key::MinMagnitude, 0, context);
            let max = number(Key::MaxMagnitude, 0, context);
            let base = number(Key::Base, 10, context);
            exponential_of([min?, max?, base?]).map_err(|error| ("exponential", error))
        }
        b"linear" => {
            let min = number(Key::Min, 0, context);
            let max = number(Key::Max, 0, context);
            let step = number(Key::Step, 0, context);
            Linear::new(min?, max?, step?)
                .map(Method::Linear)
                .map_err(|error| ("linear", error))
        }
        _ => return None,
    };
    match made {
        Ok(method) => Some(method),
        Err((name, error)) => {
            let setting = section.last(at_fault(error));
            let place = setting.map_or(section.span, |setting| setting.written);
            context.push(*buckets_error(name, error, place));
            None
        }
    }
}

/// Returns the setting that an error is about.
fn at_fault(error: MethodError) -> Key {
    match error {
        MethodError::Base => Key::Base,
        MethodError::MagnitudeOrder => Key::MinMagnitude,
        MethodError::Order => Key::Min,
        MethodError::StepZero | MethodError::StepTooLarge => Key::Step,
        _ => Key::MaxMagnitude,
    }
}

fn unknown_method(name: &[u8], span: Span) -> Box<Diagnostic> {
    let written = String::from_utf8_lossy(name);
    let nearest = suggest::nearest(name, METHODS.map(str::as_bytes));
    Box::new(
        Diagnostic::new(
            Code::UnknownMethod,
            format!("unknown group_by method `{written}`"),
            span,
        )
        .label(format!("expected {}", suggest::alternatives(&METHODS)))
        .suggest(nearest.and_then(|name| std::str::from_utf8(name).ok())),
    )
}

fn arguments_error(name: &str, wanted: &str, span: Span) -> Box<Diagnostic> {
    let message = format!("group_by method `{name}` takes {wanted}");
    Box::new(Diagnostic::new(Code::MethodArguments, message, span))
}

fn buckets_error(name: &str, error: MethodError, span: Span) -> Box<Diagnostic> {
    let message = format!("group_by method `{name}`: {error}");
    Box::new(Diagnostic::new(Code::InvalidBuckets, message, span))
}
