//! The Dovecot that a configuration is for.
//!
//! A 2.4 configuration begins with `dovecot_config_version`, in the main file
//! and before all other settings; 2.3 has no such setting.

use fantail_event::Dialect;

use crate::{
    diagnostic::code::Code,
    diagnostic::source::{FileId, Span},
    diagnostic::{Diagnostic, Diagnostics},
    settings::release::Release,
    syntax::raw::{RawConfig, RawEntry},
    syntax::statement::Statement,
    syntax::text::Text,
    syntax::tree::{ConfigTree, ItemKind},
};

pub(crate) const KEY: &[u8] = b"dovecot_config_version";

/// Returns the dialect of the main file, and the release that it states.
pub(crate) fn detect(
    main: &ConfigTree,
    forced: Option<Dialect>,
    diagnostics: &mut Diagnostics,
) -> (Dialect, Option<Release>) {
    let first = main.items().iter().find_map(|item| match &item.kind {
        ItemKind::Statement(statement) => Some(statement.as_ref()),
        _ => None,
    });
    match first {
        Some(Statement::Setting { key, value, .. }) if key.bytes() == KEY => {
            if forced.is_none() && !is_2_4(value.bytes()) {
                diagnostics.push(unknown(value));
            }
            (forced.unwrap_or(Dialect::V2_4), release(value.bytes()))
        }
        _ => (forced.unwrap_or(Dialect::V2_3), None),
    }
}

/// Returns the release that a version states.
fn release(version: &[u8]) -> Option<Release> {
    let text = std::str::from_utf8(version).ok();
    text.and_then(Release::parse)
}

/// Returns whether a version is `2.4.` and a number, perhaps with the suffix of
/// a package.
fn is_2_4(version: &[u8]) -> bool {
    let Some(patch) = version.strip_prefix(b"2.4.") else {
        return version == b"2.4";
    };
    patch.first().is_some_and(u8::is_ascii_digit)
}

fn unknown(value: &Text) -> Diagnostic {
    let version = String::from_utf8_lossy(value.bytes());
    let message = format!("configurations of version {version} are not known");
    Diagnostic::new(Code::UnknownVersion, message, value.span())
        .note("versions 2.4.0 and later of 2.4 are known; a 2.3 configuration gives none")
}

/// The reason why a configuration that was read as one of 2.3 is one of 2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// An included file begins with its version: it is Dovecot's, and the file
    /// that includes it is fantail's. Contains the release, if it is valid.
    Included(Option<Release>),
    /// A setting or block of 2.4 only, without one of 2.3 only.
    Setting(Span),
}

/// Returns the first sign of a 2.4 configuration.
pub(crate) fn sign_of_2_4(raw: &RawConfig) -> Option<Sign> {
    let mut first = None;
    for entry in raw.top() {
        match entry {
            RawEntry::Setting(setting) if setting.key.bytes() == KEY => {
                let is_included = setting.key.span().file != FileId::MAIN;
                let release = release(setting.value.bytes());
                return is_included.then_some(Sign::Included(release));
            }
            RawEntry::Block(block) => match block.name.bytes() {
                b"metric" | b"event_exporter" => {
                    for inner in raw.within(block) {
                        match series(inner, block.name.bytes()) {
                            Some((Dialect::V2_3, _)) => return None,
                            Some((Dialect::V2_4, span)) => first = first.or(Some(span)),
                            None => {}
                        }
                    }
                }
                _ => {}
            },
            RawEntry::Setting(_) => {}
        }
    }
    first.map(Sign::Setting)
}

/// Returns the only series with this setting or block.
fn series(entry: RawEntry<'_>, block: &[u8]) -> Option<(Dialect, Span)> {
    let (name, span) = match entry {
        RawEntry::Setting(setting) => (setting.key.bytes(), setting.key.span()),
        RawEntry::Block(inner) => match inner.name.bytes() {
            b"group_by" | b"metric_group_by" if block == b"metric" => {
                return Some((Dialect::V2_4, inner.name.span()));
            }
            _ => return None,
        },
    };
    let dialect = match (block, name) {
        (b"event_exporter", b"transport" | b"transport_args" | b"format_args")
        | (b"metric", b"group_by") => Dialect::V2_3,
        (
            b"event_exporter",
            b"driver"
            | b"event_exporter_driver"
            | b"time_format"
            | b"http_post_url"
            | b"event_exporter_http_post_url",
        ) => Dialect::V2_4,
        (b"metric", name) if name.starts_with(b"metric_") && name != b"metric_name" => {
            Dialect::V2_4
        }
        _ => return None,
    };
    Some((dialect, span))
}

/// Reports that the version is missing in a configuration that is read as 2.4.
pub(crate) fn missing(sign: Span, diagnostics: &mut Diagnostics) {
    let code = Code::MissingVersion;
    diagnostics.push(
        Diagnostic::new(code, code.title(), sign)
            .label("only Dovecot 2.4 has this, so the file is read as one of 2.4")
            .help(
                "begin the file with `dovecot_config_version = 2.4.1`, or as `dovecot --version` \
                 says: without it Dovecot 2.4 does not start",
            ),
    );
}

/// Reports a version after other settings.
pub(crate) fn check(
    raw: &RawConfig,
    dialect: Dialect,
    forced: Option<Dialect>,
    diagnostics: &mut Diagnostics,
) {
    if dialect == Dialect::V2_4 || forced.is_some() {
        return;
    }
    for entry in raw.top() {
        if let RawEntry::Setting(setting) = entry
            && setting.key.bytes() == KEY
        {
            let code = Code::LateVersion;
            diagnostics.push(
                Diagnostic::new(code, code.title(), setting.key.span())
                    .note("without it in the first place, the file is read as one of 2.3"),
            );
        }
    }
}
