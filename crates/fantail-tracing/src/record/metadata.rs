//! A callsite's metadata as the properties of an event.

use fantail_event::{Level, Source};
use tracing_core::Metadata;

/// The field with the callsite's target.
pub(crate) const TARGET: &str = "target";
/// The field with the name of tracing's level: `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
pub(crate) const LEVEL: &str = "level";
/// The field with the level as OpenTelemetry's severity number.
pub(crate) const SEVERITY: &str = "severity";
/// The field with the list of the names of the spans.
pub(crate) const SPAN: &str = "span";
/// The end of the key of an error's sources.
pub(crate) const SOURCES: &str = ".sources";

/// The fields that every event has.
pub(crate) const BUILT_IN: [&str; 4] = [TARGET, LEVEL, SEVERITY, SPAN];

/// Returns the key of a field of the program: a raw identifier without its `r#`, and
/// another name for the keys of built-in fields.
pub(crate) fn key_of(field: &str) -> &str {
    match field {
        TARGET => "field.target",
        LEVEL => "field.level",
        SEVERITY => "field.severity",
        SPAN => "field.span",
        _ => field.strip_prefix("r#").unwrap_or(field),
    }
}

/// Returns the event's name: that of the span, or that of the macro (`name:`).
/// `tracing` names all other events after their place in the source code; they have
/// none.
pub(crate) fn name_of(metadata: &Metadata<'_>) -> Option<&'static str> {
    (metadata.is_span() || !is_place(metadata, "event ")).then_some(metadata.name())
}

/// Returns whether it is a question of the program, such as `enabled!`, about callsites
/// of this level and target.
pub(crate) fn is_question(metadata: &Metadata<'_>) -> bool {
    is_place(metadata, "enabled ")
}

/// Returns whether the name is `KIND FILE:LINE`, which the macros make.
fn is_place(metadata: &Metadata<'_>, kind: &str) -> bool {
    let place = metadata.name().strip_prefix(kind);
    let Some((file, line)) = place.and_then(|place| place.rsplit_once(':')) else {
        return false;
    };
    Some(file) == metadata.file() && line.parse() == Ok(metadata.line().unwrap_or(0))
}

pub(crate) fn source_of<'a>(metadata: &Metadata<'a>) -> Option<Source<'a>> {
    metadata.file().map(|file| Source {
        file: file.as_bytes(),
        line: metadata.line().unwrap_or(0),
    })
}

/// Returns the level of the event: `TRACE` is `debug`, which is the lowest.
pub(crate) fn level_of(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::ERROR => Level::Error,
        tracing_core::Level::WARN => Level::Warning,
        tracing_core::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

pub(crate) fn severity_of(level: tracing_core::Level) -> i64 {
    match level {
        tracing_core::Level::ERROR => 17,
        tracing_core::Level::WARN => 13,
        tracing_core::Level::INFO => 9,
        tracing_core::Level::DEBUG => 5,
        tracing_core::Level::TRACE => 1,
    }
}
