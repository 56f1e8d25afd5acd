//! Resolving `metric NAME { … }`.

use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_format::Parts;
use fantail_metrics::MetricSettings;
use fantail_syntax::{ParseError, ParseOptions};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::suggest,
    resolve::group_by,
    resolve::registry,
    resolve::routing,
    schema::Key,
    schema::context::Context,
    schema::list,
    schema::section::Section,
    settings::{BrokenMetric, Metric, MetricSpans},
    syntax::text::Text,
};

/// Resolves a metric. If it is invalid, reports it and checks the rest of it.
/// `exporters` are the sorted names of all exporters.
pub(crate) fn resolve<'a>(
    section: &Section<'a>,
    exporters: &[&[u8]],
    context: &mut Context<'a>,
) -> Result<Metric, Box<BrokenMetric>> {
    let name = section.checked_name(context);
    let filter = filter(section, context);
    let fields = list::resolve(section, Key::Fields, &[], context).unwrap_or_default();
    let description = match section.last(Key::Description) {
        Some(setting) => context.value(setting).map(|text| text.bytes().to_vec()),
        None => Some(Vec::new()),
    };
    let group_by = match context.dialect {
        Dialect::V2_3 => group_by::from_line(section, context),
        Dialect::V2_4 => group_by::from_blocks(section, context),
    };
    let levels = group_by.as_ref().map(|group_by| &*group_by.levels);
    let declare = registry::declared(section, levels.unwrap_or_default(), context);
    let include = include(section, context);
    let (exporters, unknown) = routing::exporters(section, exporters, context);
    let rules = routing::rules(section, context);
    let (Some(name), Some(group_by), Some((filter, filter_text)), Some(description)) =
        (&name, &group_by, &filter, description)
    else {
        return Err(Box::new(BrokenMetric {
            filter,
            name: section.name.bytes().to_vec(),
            block: section.span,
            fields,
            group_by: group_by.unwrap_or_default().levels,
            exporters: [exporters, unknown].concat(),
        }));
    };
    let place = |key| section.last(key).map(|setting| setting.key.span());
    Ok(Metric {
        settings: MetricSettings {
            name: name.value.clone(),
            description,
            fields: fields.iter().map(|field| field.value.clone()).collect(),
            group_by: group_by
                .levels
                .iter()
                .map(|level| level.value.clone())
                .collect(),
            top: group_by.top.as_ref().map(|top| top.value.clone()),
        },
        filter: filter.clone(),
        filter_text: filter_text.clone(),
        exporters,
        include,
        rules,
        declare,
        spans: MetricSpans {
            block: section.span,
            name: name.span,
            fields: fields.iter().map(|field| field.span).collect(),
            group_by: group_by.levels.iter().map(|level| level.span).collect(),
            top: group_by.top.as_ref().map(|top| top.span),
            include: place(Key::Include),
            expose: place(Key::Expose),
            series_limit: place(Key::SeriesLimit),
        },
    })
}

fn filter(section: &Section<'_>, context: &mut Context<'_>) -> Option<(Filter, Text)> {
    // Dovecot 2.4 requires it in the block itself.
    let Some(setting) = section.own(Key::Filter) else {
        let name = String::from_utf8_lossy(section.name.bytes());
        let message = format!("metric `{name}`: {}", Code::MissingFilter.title());
        context.push(
            Diagnostic::new(Code::MissingFilter, message, section.span)
                .help("write `filter = event=…`"),
        );
        return None;
    };
    let text = context.value(setting)?;
    let blanks = text.bytes().iter().all(u8::is_ascii_whitespace);
    if blanks {
        let code = Code::EmptyFilter;
        let place = if text.is_empty() {
            setting.key.span()
        } else {
            text.span()
        };
        context.push(Diagnostic::new(code, code.title(), place));
        return None;
    }
    match Filter::parse(text.bytes(), &ParseOptions::new(context.filters)) {
        Ok(filter) => Some((filter, text.clone())),
        Err(errors) => {
            for error in &errors {
                context.push(filter_error(error, text));
            }
            None
        }
    }
}

/// Returns the diagnostic of an error in a filter, with its position in the
/// file.
fn filter_error(error: &ParseError, text: &Text) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::FilterSyntax,
        format!("filter: {error} ({})", error.code()),
        text.locate(error.span()),
    );
    let diagnostic = match error.expected() {
        Some(expected) => diagnostic.label(format!("expected {expected}")),
        None => diagnostic,
    };
    match error.suggestion() {
        Some(suggestion) => diagnostic.help(suggestion.message()),
        None => diagnostic,
    }
}

fn include(section: &Section<'_>, context: &mut Context<'_>) -> Parts {
    let Some(words) = list::resolve(section, Key::Include, &Parts::WORDS, context) else {
        return Parts::ALL;
    };
    let mut parts = Parts::EMPTY;
    for word in words {
        if parts.include(&word.value) {
            continue;
        }
        let written = String::from_utf8_lossy(&word.value);
        let names = Parts::WORDS.iter().map(|name| name.as_bytes());
        let nearest = suggest::nearest(&word.value, names);
        context.push(
            Diagnostic::new(
                Code::UnknownPart,
                format!("unknown part of an event `{written}` is ignored"),
                word.span,
            )
            .label(format!("expected {}", suggest::alternatives(&Parts::WORDS)))
            .suggest(nearest.and_then(|name| std::str::from_utf8(name).ok())),
        );
    }
    parts
}
