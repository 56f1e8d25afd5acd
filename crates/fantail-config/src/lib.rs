//! Dovecot's configuration files, 2.3 and 2.4, read into typed settings.
//!
//! Three steps, each of use on its own:
//!
//! 1. [`ConfigTree`]: one file, lossless, with the place of everything. Knows no
//!    setting.
//! 2. [`RawConfig`]: all settings of all files in order, includes followed,
//!    lines joined, quotes removed, variables expanded.
//! 3. [`Settings`]: metrics, exporters and listeners, resolved and checked.
//!
//! [`load`] goes all the way, and reports everything that is wrong in one run
//! as [`Diagnostics`]; [`write`](fn@write) goes the way back. A whole `/etc/dovecot/dovecot.conf` can be given to it:
//! settings that are not of Dovecot's statistics are passed over.
//!
//! What is deliberately absent: no I/O but through a [`Loader`]; no opinion
//! whether a filter makes sense for the events that exist (`fantail-lint` has
//! that); no defaults of Dovecot's other settings.

mod diagnostic;
mod load;
mod resolve;
mod schema;
mod settings;
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

/// What the other crates of fantail use, and nobody else should: it may change
/// in any version.
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
        settings::extension_setting::{ExtensionSetting, ExtensionValue},
    };
}
