//! Resolving `fantail { … }`, and `declare` in a metric: extension settings.
//!
//! Dovecot refuses these settings, so they must be in a file that it does not
//! read.

use fantail_event::text::integer;
use fantail_metrics::{GroupBy, Method};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    resolve::interval,
    schema::context::Context,
    schema::section::{Named, Section},
    schema::{Key, Kind, Row},
    settings::RegistrySettings,
    syntax::part,
    syntax::raw::{RawBlock, RawSetting},
    syntax::text::Text,
    syntax::variable,
};

/// The maximum number of series that one metric may declare.
const MAX_DECLARED: usize = 10_000;

/// Resolves the settings of all blocks together.
pub(crate) fn resolve<'a>(
    blocks: &[&'a RawBlock],
    defaults: &[(Row, &'a RawSetting)],
    context: &mut Context<'a>,
) -> RegistrySettings {
    let mut settings = RegistrySettings::default();
    for block in blocks {
        if let Some(name) = &block.argument {
            let message = "the block `fantail` has no name";
            context.push(Diagnostic::new(Code::WrongKind, message, name.span()));
        }
    }
    let named = Named {
        grouped: Vec::new(),
        blocks: blocks.to_vec(),
    };
    let Some(section) = Section::gather(Kind::Registry, &named, defaults, context) else {
        return settings;
    };
    let limits = &mut settings.limits;
    for (key, limit) in [
        (Key::SeriesPerMetric, &mut limits.series_per_metric),
        (Key::SeriesTotal, &mut limits.series),
    ] {
        if let Some(number) = number(&section, key, context) {
            *limit = number;
        }
    }
    if let Some(text) = given(&section, Key::IdleSeries, context) {
        match interval::parse(text.bytes(), context.dialect) {
            Ok(idle) => settings.idle_series = idle.filter(|idle| !idle.is_zero()),
            Err(error) => {
                let message = format!("invalid time interval: {}", error.reason());
                context.push(
                    Diagnostic::new(Code::InvalidInterval, message, text.span())
                        .help("write `idle_series = 1h`, or 0 to keep all series"),
                );
            }
        }
    }
    if let Some(text) = given(&section, Key::Exemplars, context) {
        settings.exemplars = (!text.is_empty()).then(|| text.bytes().to_vec());
    }
    settings
}

fn given(section: &Section<'_>, key: Key, context: &mut Context<'_>) -> Option<Text> {
    context.value(section.last(key)?).cloned()
}

/// Returns a number of at least 1.
pub(crate) fn number(section: &Section<'_>, key: Key, context: &mut Context<'_>) -> Option<usize> {
    let text = given(section, key, context)?;
    let number = integer(text.bytes()).and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        let written = String::from_utf8_lossy(text.bytes());
        let message = format!("`{written}` is no number of series");
        context.push(Diagnostic::new(Code::InvalidNumber, message, text.span()));
    }
    number
}

/// Resolves `declare = field:value,value field:value`: for each discrete level
/// of `group_by` the values of declared series; none if nothing is declared.
pub(crate) fn declared(
    section: &Section<'_>,
    group_by: &[Spanned<GroupBy>],
    context: &mut Context<'_>,
) -> Vec<Vec<Vec<u8>>> {
    let Some(text) = given(section, Key::Declare, context) else {
        return Vec::new();
    };
    let discrete = group_by.iter().map(|level| &level.value);
    let discrete: Vec<&GroupBy> = discrete
        .filter(|level| matches!(level.method, Method::Discrete(_)))
        .collect();
    let mut values: Vec<Option<Vec<Vec<u8>>>> = vec![None; discrete.len()];
    for word in variable::words(text.bytes()) {
        let place = text.locate(word.clone());
        let word = part(text.bytes(), word);
        let colon = word.iter().position(|byte| *byte == b':');
        let (field, rest) = word.split_at(colon.unwrap_or(word.len()));
        let level = discrete
            .iter()
            .zip(&mut values)
            .find(|(level, values)| level.field == field && values.is_none());
        let list = rest
            .get(1..)
            .unwrap_or_default()
            .split(|byte| *byte == b',');
        let list: Vec<Vec<u8>> = list.map(<[u8]>::to_vec).collect();
        match level {
            Some((_, values)) if colon.is_some() => *values = Some(list),
            Some(_) => context.push(invalid("the values are missing", place)),
            None => {
                let field = String::from_utf8_lossy(field);
                let message = format!("`group_by` has no level of single values of `{field}`");
                context.push(invalid(message, place));
            }
        }
    }
    let series = values.iter().flatten().map(Vec::len);
    let series = series.fold(1, usize::saturating_mul);
    if let Some((level, _)) = discrete.iter().zip(&values).find(|(_, one)| one.is_none()) {
        let field = String::from_utf8_lossy(&level.field);
        let message = format!("nothing is declared for the level `{field}`");
        context.push(invalid(message, text.span()));
    } else if discrete.is_empty() {
        let message = "there is nothing to declare: all series are there from the start";
        context.push(invalid(message, text.span()));
    } else if series > MAX_DECLARED {
        let message = format!("these are {series} series, and {MAX_DECLARED} may be declared");
        context.push(invalid(message, text.span()));
    } else {
        return values.into_iter().flatten().collect();
    }
    Vec::new()
}

fn invalid(message: impl Into<String>, place: Span) -> Diagnostic {
    Diagnostic::new(Code::InvalidDeclaration, message, place)
        .help("write `field:value,value` for each level of single values")
}
