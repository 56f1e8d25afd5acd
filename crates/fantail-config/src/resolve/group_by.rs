//! Resolving `group_by`: one line in 2.3, blocks in 2.4.

use fantail_metrics::{Exponential, GroupBy, Linear, Method, MethodError, Top};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    diagnostic::suggest,
    resolve::number::{number, number_setting},
    resolve::{modifier, top},
    schema::context::Context,
    schema::list,
    schema::section::{Named, Section, by_name},
    schema::{Key, Kind},
    syntax::text::Text,
};

const METHODS: [&str; 4] = ["discrete", "exponential", "linear", "top"];

/// The levels of sub-metrics, or the heavy hitters.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    pub(crate) levels: Vec<Spanned<GroupBy>>,
    pub(crate) top: Option<Spanned<Top>>,
}

/// A level of `group_by` as written.
enum Level {
    Series(GroupBy),
    Top(Top),
}

impl Grouping {
    fn add(&mut self, level: Level, span: Span, context: &mut Context<'_>) -> Option<()> {
        let is_alone = self.levels.is_empty() && self.top.is_none();
        match level {
            Level::Series(value) if self.top.is_none() => self.levels.push(Spanned { value, span }),
            Level::Top(value) if is_alone => self.top = Some(Spanned { value, span }),
            Level::Series(_) | Level::Top(_) => {
                let code = Code::TopNotAlone;
                context.push(
                    Diagnostic::new(code, code.title(), span)
                        .help("write another `metric` block with the same filter"),
                );
                return None;
            }
        }
        Some(())
    }
}

/// Resolves 2.3's `group_by = field field:method:argument:argument`. Reports
/// errors and returns `None`.
pub(crate) fn from_line(section: &Section<'_>, context: &mut Context<'_>) -> Option<Grouping> {
    let Some(setting) = section.last(Key::GroupBy) else {
        return Some(Grouping::default());
    };
    let text = context.value(setting)?;
    let mut grouping = Grouping::default();
    let mut good = true;
    for word in list::words(text, context.dialect) {
        let mut parts = word.value.split(|byte| *byte == b':');
        let field = parts.next().unwrap_or_default();
        let name = parts.next();
        let arguments: Vec<&[u8]> = parts.collect();
        let level = match name {
            Some(b"top") => top::from_words(field, &arguments, word.span).map(Level::Top),
            _ => method(name, &arguments, word.span)
                .map(|method| Level::Series(GroupBy::new(field, method))),
        };
        match level {
            Ok(level) => good &= grouping.add(level, word.span, context).is_some(),
            Err(diagnostic) => {
                context.push(*diagnostic);
                good = false;
            }
        }
    }
    good.then_some(grouping)
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

fn exponential_of([min, max, base]: [u64; 3]) -> Result<Method, MethodError> {
    let small = |number: u64| u32::try_from(number).map_err(|_| MethodError::TooLarge);
    let base = u32::try_from(base).map_err(|_| MethodError::Base)?;
    Exponential::new(small(min)?, small(max)?, base).map(Method::Exponential)
}

/// Resolves 2.4's `group_by field { method exponential { … } }`. Reports errors
/// and returns `None`.
pub(crate) fn from_blocks<'a>(
    section: &Section<'a>,
    context: &mut Context<'a>,
) -> Option<Grouping> {
    let blocks = section
        .nested
        .iter()
        .filter(|(key, _)| *key == Key::GroupBy);
    let mut grouping = Grouping::default();
    let mut good = true;
    for named in by_name(blocks.map(|(_, block)| *block)) {
        let level = level(&named, context);
        let added = level.and_then(|level| grouping.add(level.value, level.span, context));
        good &= added.is_some();
    }
    good.then_some(grouping)
}

fn level<'a>(named: &Named<'a>, context: &mut Context<'a>) -> Option<Spanned<Level>> {
    let section = Section::gather(Kind::GroupBy, named, &[], context)?;
    if named.blocks.iter().any(|block| block.argument.is_none()) {
        let message = "`group_by` names no field";
        context.push(Diagnostic::new(Code::EmptyName, message, section.span));
        return None;
    }
    let methods = section.nested.iter().filter(|(key, _)| *key == Key::Method);
    let methods = by_name(methods.map(|(_, block)| *block));
    let field = match section.last(Key::Field) {
        Some(setting) => context.value(setting)?,
        None => &section.name,
    };
    let value = match methods.as_slice() {
        [] => Level::Series(GroupBy::new(field.bytes(), Method::Discrete(Vec::new()))),
        [one] => from_block(field.bytes(), one, context)?,
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
    let span = field.span();
    Some(Spanned { value, span })
}

fn from_block<'a>(field: &[u8], named: &Named<'a>, context: &mut Context<'a>) -> Option<Level> {
    let first = named.blocks.first()?;
    let name = first.argument.as_ref().map_or(&[][..], Text::bytes);
    if !METHODS.iter().any(|known| known.as_bytes() == name) {
        let place = first.argument.as_ref().map_or(first.span, Text::span);
        context.push(*unknown_method(name, place));
        return None;
    }
    let section = Section::gather(Kind::Method, named, &[], context)?;
    if name == b"top" {
        return top::from_section(field, &section, context).map(Level::Top);
    }
    let method = method_of(&section, context)?;
    Some(Level::Series(GroupBy::new(field, method)))
}

/// Resolves the settings of a method other than `top`.
fn method_of<'a>(section: &Section<'a>, context: &mut Context<'a>) -> Option<Method> {
    let number = |key, default, context: &mut Context<'a>| {
        let number = number_setting(section, key, context)?;
        Some(number.unwrap_or(default))
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
