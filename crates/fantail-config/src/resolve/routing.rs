//! Resolving where a metric's events and counts go: `exporter`, `expose`,
//! `series_limit`.

use fantail_metrics::MetricRules;

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Spanned,
    diagnostic::suggest, resolve::registry, schema::Key, schema::context::Context, schema::list,
    schema::section::Section,
};

type Names = Vec<Spanned<Vec<u8>>>;

/// Resolves `exporter = NAME NAME`; `known` are the sorted names of all exporters.
/// Returns the exporters that exist, and reports and returns the others.
///
/// Dovecot has one exporter a metric, whose name may contain spaces.
pub(crate) fn exporters(
    section: &Section<'_>,
    known: &[&[u8]],
    context: &mut Context<'_>,
) -> (Names, Names) {
    let setting = section.last(Key::Exporter);
    let Some(text) = setting.and_then(|setting| context.value(setting)) else {
        return Default::default();
    };
    let exists = |name: &[u8]| known.binary_search(&name).is_ok();
    let words = if exists(text.bytes()) {
        vec![Spanned {
            value: text.bytes().to_vec(),
            span: text.span(),
        }]
    } else {
        list::words(text, context.dialect)
    };
    let (mut found, mut unknown) = (Names::new(), Names::new());
    for word in words {
        let mut earlier = found.iter().chain(&unknown);
        if let Some(first) = earlier.find(|one| one.value == word.value) {
            let message = format!("`{}` is given twice", String::from_utf8_lossy(&word.value));
            let note = "the first one is here";
            context.push(
                Diagnostic::new(Code::Repeated, message, word.span).note_at(note, first.span),
            );
        } else if exists(&word.value) {
            found.push(word);
        } else {
            report_unknown(section, &word, known, context);
            unknown.push(word);
        }
    }
    (found, unknown)
}

fn report_unknown(
    section: &Section<'_>,
    exporter: &Spanned<Vec<u8>>,
    known: &[&[u8]],
    context: &mut Context<'_>,
) {
    let nearest = suggest::nearest(&exporter.value, known.iter().copied());
    let nearest = nearest.map(|name| String::from_utf8_lossy(name).into_owned());
    let message = format!(
        "metric `{}`: no exporter is called `{}`",
        String::from_utf8_lossy(section.name.bytes()),
        String::from_utf8_lossy(&exporter.value),
    );
    context.push(
        Diagnostic::new(Code::UnknownExporter, message, exporter.span).suggest(nearest.as_deref()),
    );
}

/// Resolves `expose` and `series_limit`.
pub(crate) fn rules(section: &Section<'_>, context: &mut Context<'_>) -> MetricRules {
    let mut rules = MetricRules::default();
    let expose = section.last(Key::Expose);
    if let Some(text) = expose.and_then(|setting| context.value(setting)) {
        match list::boolean(text.bytes()) {
            Some(exposed) => rules.exposed = exposed,
            None => context.push(list::not_boolean(text)),
        }
    }
    rules.series_limit = registry::number(section, Key::SeriesLimit, context);
    rules
}
