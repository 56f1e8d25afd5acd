//! Dovecot's configuration files, 2.3 and 2.4, read into typed settings.
//!
//! Three steps, each of use on its own:
//!
//! 1. [`Tree`]: one file, lossless, with the place of everything. Knows no
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

mod add;
mod code;
mod comments;
mod context;
mod diagnostic;
mod exporter;
mod exporter_settings;
mod extension;
mod glob;
mod group_by;
mod groups;
mod interval;
mod limits;
mod line;
mod list;
mod load;
mod loader;
mod lone_filter;
mod metric;
mod modifier;
mod own_mention;
mod own_setting;
mod raw;
mod reader;
mod registry;
mod renamed;
mod render;
mod resolve;
mod schema;
mod section;
mod service;
mod settings;
mod size;
mod source;
mod statement;
mod suggest;
mod test_file;
mod text;
mod tree;
mod variable;
mod version;
mod write;

pub use crate::{
    add::MetricRequest,
    code::{Code, Severity},
    comments::Comments,
    diagnostic::{Diagnostic, Diagnostics, Label, Note, NoteKind},
    exporter_settings::{Exporter, ExporterSpans, TransportSettings},
    extension::EXTENSIONS,
    limits::Limits,
    load::{Loaded, Options, Refused, load, load_text},
    loader::{FileSystem, LoadError, LoadErrorKind, Loader, Memory},
    lone_filter::{render_filter_errors, render_filter_warnings},
    own_mention::{OwnMention, own_mentions},
    own_setting::{OwnSetting, OwnValue},
    raw::{RawBlock, RawConfig, RawEntry, RawSetting},
    render::{Report, Style, render, render_reports},
    settings::{
        BrokenMetric, InetListener, Metric, MetricSpans, RegistrySettings, Settings, StatsService,
        UnixListener,
    },
    source::{FileId, Position, Sources, Span, Spanned},
    statement::{Statement, SyntaxError, ValueForm},
    suggest::similar,
    test_file::{ExpectedExport, Test, TestEvent, TestFile, WrittenEvent},
    text::Text,
    tree::{Item, ItemKind, Tree},
    write::{VERSION_LINES, write, write_blocks, write_metric},
};
