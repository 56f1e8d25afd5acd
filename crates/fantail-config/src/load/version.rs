//! Which Dovecot a configuration is for.
//!
//! A 2.4 configuration begins with `dovecot_config_version`, in the main file
//! and before every other setting; a 2.3 configuration does not know it.

use fantail_event::Dialect;

use crate::{
    diagnostic::code::Code,
    diagnostic::{Diagnostic, Diagnostics},
    syntax::raw::{RawConfig, RawEntry},
    syntax::statement::Statement,
    syntax::text::Text,
    syntax::tree::{ItemKind, Tree},
};

pub(crate) const KEY: &[u8] = b"dovecot_config_version";

/// The dialect of the main file.
pub(crate) fn detect(
    main: &Tree,
    forced: Option<Dialect>,
    diagnostics: &mut Diagnostics,
) -> Dialect {
    if let Some(dialect) = forced {
        return dialect;
    }
    let first = main.items().iter().find_map(|item| match &item.kind {
        ItemKind::Statement(statement) => Some(statement.as_ref()),
        _ => None,
    });
    match first {
        Some(Statement::Setting { key, value, .. }) if key.bytes() == KEY => {
            if !is_2_4(value.bytes()) {
                diagnostics.push(unknown(value));
            }
            Dialect::V2_4
        }
        _ => Dialect::V2_3,
    }
}

/// `2.4.` and a number, and what a maker of packages appends to it.
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

/// Reports a version that came too late to be seen.
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
