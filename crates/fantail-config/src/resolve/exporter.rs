//! Resolving `event_exporter NAME { … }`.

mod delivery;
mod fields;
mod nats;
mod otlp;
mod transport;
mod values;

use fantail_event::Dialect;
use fantail_format::{Format, TimeStyle};

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::Spanned,
    diagnostic::suggest,
    resolve::exporter::values::Values,
    schema::Key,
    schema::context::Context,
    schema::extension::Extension,
    schema::list,
    schema::section::Section,
    settings::exporter::{Exporter, ExporterSpans},
    syntax::raw::RawSetting,
    syntax::text::Text,
};

/// Resolves an exporter; reports errors and returns `None` if it is invalid.
pub(crate) fn resolve(section: &Section<'_>, context: &mut Context<'_>) -> Option<Exporter> {
    let name = section.checked_name(context);
    let format = format(section, context);
    let time_style = match context.dialect {
        Dialect::V2_3 => format_arguments(section, format.as_ref(), context),
        Dialect::V2_4 => time_format(section, context),
    };
    let transport = transport::resolve(section, context);
    let mut values = Values::new(section, context);
    let (rules, hash_key_file) = fields::resolve(&mut values);
    let event_id = values.boolean(Extension::EventId).unwrap_or_default();
    let messages = transport::messages(&mut values);
    let throttle = delivery::throttle(&mut values);
    let queue = delivery::resolve(transport.as_ref(), &mut values);
    let dead_letters = values.path(Extension::DeadLetterPath);
    let good = values.is_good();
    let (name, format, mut transport) = (name?, format?, transport?);
    let fits = transport::check_format(&transport, &format, context);
    (good && fits).then_some(())?;
    transport::set_format(&mut transport, format.value);
    Some(Exporter {
        name: name.value,
        format: format.value,
        time_style: time_style?,
        transport,
        rules,
        hash_key_file,
        event_id,
        messages,
        queue,
        dead_letters,
        throttle,
        spans: ExporterSpans {
            block: section.span,
            name: name.span,
            format: format.span,
            transport: section.last(Key::Transport).map(|setting| setting.written),
        },
    })
}

fn format(section: &Section<'_>, context: &mut Context<'_>) -> Option<Spanned<Format>> {
    // Dovecot 2.4 requires it in the block itself.
    let setting = section.own(Key::Format);
    let Some(setting) = setting.filter(|setting| !is_blank(setting)) else {
        let place = setting.map_or(section.span, |setting| setting.key.span());
        let help = "write `format = json`, `tab-text` or `none`";
        context.push(missing(Code::MissingFormat, section, place).help(help));
        return None;
    };
    let text = context.value(setting)?;
    if let Some(value) = Format::from_name(text.bytes()) {
        return Some(Spanned {
            value,
            span: text.span(),
        });
    }
    let names: Vec<&str> = Format::NAMES.iter().map(|(name, _)| *name).collect();
    context.push(unknown(Code::UnknownFormat, "format", text, &names));
    None
}

/// Resolves 2.3's `format_args = time-rfc3339`.
fn format_arguments(
    section: &Section<'_>,
    format: Option<&Spanned<Format>>,
    context: &mut Context<'_>,
) -> Option<TimeStyle> {
    let mut found: Option<Spanned<TimeStyle>> = None;
    let mut good = true;
    let setting = section.last(Key::FormatArguments);
    let text = match setting {
        Some(setting) => Some(context.value(setting)?),
        None => None,
    };
    for word in text
        .map(|text| list::words(text, Dialect::V2_3))
        .unwrap_or_default()
    {
        let value = match word.value.as_slice() {
            b"time-rfc3339" => TimeStyle::Rfc3339,
            b"time-unix" => TimeStyle::Unix,
            other => {
                let message = format!(
                    "unknown format argument `{}`",
                    String::from_utf8_lossy(other)
                );
                let names = [&b"time-rfc3339"[..], b"time-unix"];
                context.push(
                    Diagnostic::new(Code::UnknownFormatArgument, message, word.span)
                        .label("expected `time-rfc3339` or `time-unix`")
                        .suggest(as_str(suggest::nearest(other, names))),
                );
                good = false;
                continue;
            }
        };
        match &found {
            Some(first) if first.value != value => {
                let code = Code::TwoTimeFormats;
                context.push(
                    Diagnostic::new(code, code.title(), word.span)
                        .note_at("the first one is here", first.span),
                );
                good = false;
            }
            _ => {
                let span = word.span;
                found = Some(Spanned { value, span });
            }
        }
    }
    let needed = format.is_some_and(|format| format.value.has_times());
    if needed && found.is_none() && good {
        let place = setting.map_or(section.span, |setting| setting.written);
        let help = "write `format_args = time-rfc3339` or `time-unix`";
        context.push(missing(Code::MissingTimeFormat, section, place).help(help));
        good = false;
    }
    good.then(|| found.map(|found| found.value).unwrap_or_default())
}

/// Resolves 2.4's `time_format = rfc3339`.
fn time_format(section: &Section<'_>, context: &mut Context<'_>) -> Option<TimeStyle> {
    let Some(setting) = section.last(Key::TimeFormat) else {
        return Some(TimeStyle::default());
    };
    let text = context.value(setting)?;
    match text.bytes() {
        b"rfc3339" => Some(TimeStyle::Rfc3339),
        b"unix" => Some(TimeStyle::Unix),
        _ => {
            let names = ["rfc3339", "unix"];
            context.push(unknown(
                Code::UnknownTimeFormat,
                "time format",
                text,
                &names,
            ));
            None
        }
    }
}

fn is_blank(setting: &RawSetting) -> bool {
    setting.value.is_empty() && setting.unexpanded.is_none() && setting.unreadable.is_none()
}

fn missing(
    code: Code,
    section: &Section<'_>,
    place: crate::diagnostic::source::Span,
) -> Diagnostic {
    let name = String::from_utf8_lossy(section.name.bytes());
    Diagnostic::new(code, format!("exporter `{name}`: {}", code.title()), place)
}

fn unknown(code: Code, what: &str, text: &Text, names: &[&str]) -> Diagnostic {
    let value = String::from_utf8_lossy(text.bytes());
    let nearest = suggest::nearest(text.bytes(), names.iter().map(|name| name.as_bytes()));
    Diagnostic::new(code, format!("unknown {what} `{value}`"), text.span())
        .label(format!("expected {}", suggest::alternatives(names)))
        .suggest(as_str(nearest))
}

fn as_str(name: Option<&[u8]>) -> Option<&str> {
    name.and_then(|name| std::str::from_utf8(name).ok())
}
