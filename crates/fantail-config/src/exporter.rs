//! `event_exporter NAME { … }`

use std::time::Duration;

use fantail_event::Dialect;
use fantail_format::{Format, TimeStyle};

use crate::{
    code::Code,
    context::Context,
    diagnostic::Diagnostic,
    interval, list,
    raw::RawSetting,
    schema::Key,
    section::Section,
    settings::{Exporter, ExporterSpans, Transport},
    source::Spanned,
    suggest,
    text::Text,
};

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// Resolves one exporter; `None`, and reported, if it cannot be used.
pub(crate) fn resolve(section: &Section<'_>, context: &mut Context<'_>) -> Option<Exporter> {
    let name = crate::resolve::name(section, context);
    let format = format(section, context);
    let time_style = match context.dialect {
        Dialect::V2_3 => format_arguments(section, format.as_ref(), context),
        Dialect::V2_4 => time_format(section, context),
    };
    let transport = transport(section, context);
    let (name, format, transport) = (name?, format?, transport?);
    Some(Exporter {
        name: name.value,
        format: format.value,
        time_style: time_style?,
        transport,
        spans: ExporterSpans {
            block: section.span,
            name: name.span,
            format: format.span,
            transport: section.last(Key::Transport).map(|setting| setting.written),
        },
    })
}

fn format(section: &Section<'_>, context: &mut Context<'_>) -> Option<Spanned<Format>> {
    // Dovecot 2.4 wants it in the block itself.
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

/// 2.3: `format_args = time-rfc3339`
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
    let needed = format.is_some_and(|format| format.value != Format::None);
    if needed && found.is_none() && good {
        let place = setting.map_or(section.span, |setting| setting.written);
        let help = "write `format_args = time-rfc3339` or `time-unix`";
        context.push(missing(Code::MissingTimeFormat, section, place).help(help));
        good = false;
    }
    good.then(|| found.map(|found| found.value).unwrap_or_default())
}

/// 2.4: `time_format = rfc3339`
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

fn transport(section: &Section<'_>, context: &mut Context<'_>) -> Option<Transport> {
    let is_2_4 = context.dialect == Dialect::V2_4;
    let Some(setting) = section.last(Key::Transport) else {
        if is_2_4 {
            return Some(Transport::Log);
        }
        let help = "write `transport = log`, `http-post` or `drop`";
        context.push(missing(Code::MissingTransport, section, section.span).help(help));
        return None;
    };
    // Dovecot looks at the timeouts whatever the transport is.
    let timeout = match context.dialect {
        Dialect::V2_3 => timeout(section, Key::TransportTimeout, context),
        Dialect::V2_4 => timeout(section, Key::HttpTimeout, context),
    };
    let connect_timeout = self::timeout(section, Key::UnixTimeout, context);
    let text = context.value(setting)?;
    let url_key = if is_2_4 {
        Key::Url
    } else {
        Key::TransportArguments
    };
    match text.bytes() {
        b"log" => Some(Transport::Log),
        b"drop" => Some(Transport::Drop),
        b"http-post" => Some(Transport::HttpPost {
            url: url(section, url_key, context)?,
            timeout: timeout?,
        }),
        b"file" if is_2_4 => Some(Transport::File {
            path: path(section, Key::FilePath, context)?,
        }),
        b"unix" if is_2_4 => Some(Transport::Unix {
            path: path(section, Key::UnixPath, context)?,
            timeout: connect_timeout?,
        }),
        _ => {
            let names: &[&str] = if is_2_4 {
                &["log", "http-post", "drop", "file", "unix"]
            } else {
                &["log", "http-post", "drop"]
            };
            let what = if is_2_4 { "driver" } else { "transport" };
            context.push(unknown(Code::UnknownTransport, what, text, names));
            None
        }
    }
}

/// A timeout; `Some(None)` never strikes, `None` was reported.
fn timeout(section: &Section<'_>, key: Key, context: &mut Context<'_>) -> Option<Option<Duration>> {
    let Some(setting) = section.last(key) else {
        return Some(Some(TIMEOUT));
    };
    let text = context.value(setting)?;
    match interval::parse(text.bytes(), context.dialect) {
        // To Dovecot's clients 0 means no timeout.
        Ok(timeout) => Some(timeout.filter(|timeout| !timeout.is_zero())),
        Err(error) => {
            let value = String::from_utf8_lossy(text.bytes());
            let message = format!("invalid time interval `{value}`: {}", error.reason());
            context.push(
                Diagnostic::new(Code::InvalidInterval, message, text.span())
                    .help("write it like `250ms` or `5 secs`"),
            );
            None
        }
    }
}

fn url(section: &Section<'_>, key: Key, context: &mut Context<'_>) -> Option<Vec<u8>> {
    let setting = given(section, key, Code::MissingUrl, context)?;
    let text = context.value(setting)?;
    if is_http(text.bytes()) {
        return Some(text.bytes().to_vec());
    }
    let code = Code::InvalidUrl;
    context.push(
        Diagnostic::new(code, code.title(), text.span())
            .label("expected `http://…` or `https://…`"),
    );
    None
}

/// Scheme, host, and nothing that could not stand in a request.
fn is_http(url: &[u8]) -> bool {
    let lower = url.to_ascii_lowercase();
    let rest = lower
        .strip_prefix(b"http://")
        .or_else(|| lower.strip_prefix(b"https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next();
        host.is_some_and(|host| !host.is_empty()) && rest.iter().all(u8::is_ascii_graphic)
    })
}

fn path(section: &Section<'_>, key: Key, context: &mut Context<'_>) -> Option<Vec<u8>> {
    let setting = given(section, key, Code::MissingPath, context)?;
    Some(context.value(setting)?.bytes().to_vec())
}

/// A setting that the transport needs.
fn given<'a>(
    section: &Section<'a>,
    key: Key,
    code: Code,
    context: &mut Context<'_>,
) -> Option<&'a RawSetting> {
    let setting = section.last(key).filter(|setting| !is_blank(setting));
    if setting.is_none() {
        let rows = section.kind.rows(context.dialect).iter();
        let name = rows.copied().find(|row| row.key == key).map(|row| {
            section
                .kind
                .short_name(context.dialect, section.name.bytes(), row)
        });
        let place = section
            .last(Key::Transport)
            .map_or(section.span, |setting| setting.written);
        let diagnostic = missing(code, section, place);
        context.push(match name {
            Some(name) => diagnostic.help(format!("set `{name}`")),
            None => diagnostic,
        });
    }
    setting
}

fn is_blank(setting: &RawSetting) -> bool {
    setting.value.is_empty() && setting.unexpanded.is_none() && setting.unreadable.is_none()
}

fn missing(code: Code, section: &Section<'_>, place: crate::source::Span) -> Diagnostic {
    let name = String::from_utf8_lossy(section.name.bytes());
    Diagnostic::new(code, format!("exporter `{name}`: {}", code.title()), place)
}

fn unknown(code: Code, what: &str, text: &Text, names: &[&str]) -> Diagnostic {
    let value = String::from_utf8_lossy(text.bytes());
    let nearest = suggest::nearest(text.bytes(), names.iter().map(|name| name.as_bytes()));
    Diagnostic::new(code, format!("unknown {what} `{value}`"), text.span())
        .label(format!("expected {}", alternatives(names)))
        .suggest(as_str(nearest))
}

/// `a`, `b` or `c`
pub(crate) fn alternatives(names: &[&str]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        text.push_str(match index {
            0 => "",
            _ if index + 1 == names.len() => " or ",
            _ => ", ",
        });
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text
}

fn as_str(name: Option<&[u8]>) -> Option<&str> {
    name.and_then(|name| std::str::from_utf8(name).ok())
}
