//! Dovecot's configuration files, 2.3 and 2.4, as typed settings.
//!
//! There are three steps, each useful alone:
//!
//! 1. [`ConfigTree`]: one file without loss, with all positions. It knows no
//!    settings.
//! 2. [`RawConfig`]: all settings of all files in order, with includes
//!    followed, lines joined, quotes removed and variables expanded.
//! 3. [`Settings`]: metrics, exporters and listeners, resolved and checked.
//!
//! [`load`] runs all steps, and reports all errors in one run as
//! [`Diagnostics`]; [`write`](fn@write) converts settings to text. A whole
//! `/etc/dovecot/dovecot.conf` is valid input: settings outside of Dovecot's
//! statistics are ignored.
//!
//! Deliberately absent: I/O except through a [`Loader`]; checks whether a
//! filter is useful for existing events (see `fantail-lint`); defaults of
//! Dovecot's other settings.
//!
//! ```
//! use fantail_config::{LoadOptions, load_text};
//!
//! let text = "metric logins {\n  filter = event=login_finished\n}\n";
//! let loaded = load_text("dovecot.conf", text, &LoadOptions::default()).accept()?;
//! assert_eq!(loaded.settings.metrics[0].settings.name, b"logins");
//!
//! let wrong = "metric logins {\n  fliter = event=login_finished\n}\n";
//! let refused = load_text("dovecot.conf", wrong, &LoadOptions::default()).accept();
//! let text = refused.err().ok_or("a setting is unknown")?.to_string();
//! assert!(text.contains("unknown setting `fliter`"), "{text}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod diagnostic;
mod load;
mod resolve;
mod schema;
mod settings;
#[cfg(test)]
mod settings_page;
mod syntax;
mod test_file;
mod write;

pub use crate::{
    diagnostic::code::{Code, Severity},
    diagnostic::lone_filter::{render_filter_errors, render_filter_warnings},
    diagnostic::render::{Report, Style, render, render_reports},
    diagnostic::source::{FileId, Position, Sources, Span, Spanned},
    diagnostic::{Diagnostic, DiagnosticLabel, Diagnostics, Note, NoteKind},
    load::files::{FileSystem, Memory},
    load::loader::{LoadError, LoadErrorKind, Loader},
    load::{LoadOptions, Loaded, Refused, load, load_text},
    settings::exporter::{Exporter, ExporterSpans, TransportSettings},
    settings::release::{Release, Target},
    settings::{
        BrokenMetric, DovecotService, InetListener, Metric, MetricSpans, RegistrySettings,
        Settings, StatsService, UnixListener,
    },
    syntax::limits::Limits,
    syntax::raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    syntax::statement::{Statement, SyntaxError, ValueForm},
    syntax::text::Text,
    syntax::tree::{ConfigTree, Item, ItemKind},
    test_file::{ExpectedExport, TestCase, TestEvent, TestFile, WrittenEvent},
    write::add::MetricRequest,
    write::comments::Comments,
    write::{version_lines, write, write_blocks, write_metric},
};

/// Items for fantail's other crates. They are outside semantic versioning: any
/// release may change or remove them.
#[doc(hidden)]
pub mod internal {
    pub use crate::{
        diagnostic::lone_filter::advice_text,
        diagnostic::suggest::similar,
        load::dovecot::has_dovecots_name,
        resolve::interval::parse_finite as parse_interval,
        resolve::size::parse as parse_size,
        schema::extension::EXTENSIONS,
        schema::extension_mention::{ExtensionMention, extension_mentions},
        settings::extension_setting::ExtensionSetting,
        settings::extension_value::ExtensionValue,
    };
}
