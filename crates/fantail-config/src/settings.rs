//! The typed settings of a configuration.
//!
//! They are plain values, resolved and checked; each has its position, so that
//! later checks can point to it.

pub(crate) mod exporter;
pub(crate) mod extension_setting;
pub(crate) mod extension_value;
pub(crate) mod release;

use std::time::Duration;

use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_format::Parts;
use fantail_metrics::{GroupBy, Limits, MetricRules, MetricSettings};

use crate::{
    diagnostic::source::{FileId, Span, Spanned},
    settings::exporter::Exporter,
    settings::release::{Release, Target},
    syntax::text::Text,
};

/// The settings of a configuration that fantail uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The dialect.
    pub dialect: Dialect,
    /// The release of Dovecot, if it is known: that of
    /// [`LoadOptions::release`], otherwise that of `dovecot_config_version`.
    ///
    /// [`LoadOptions::release`]: crate::LoadOptions::release
    pub release: Option<Release>,
    /// The metrics in the order of their first block; their names are unique.
    pub metrics: Vec<Metric>,
    /// The exporters in the order of their first block; their names are unique.
    pub exporters: Vec<Exporter>,
    /// The folder of Dovecot's sockets, if it is set.
    pub base_dir: Option<Spanned<Vec<u8>>>,
    /// `service stats`.
    pub stats: StatsService,
    /// The group of Dovecot's own processes (`default_internal_group`), if it
    /// is set.
    pub internal_group: Option<Spanned<Vec<u8>>>,
    /// The user of login processes (`default_login_user`), if it is set.
    pub login_user: Option<Spanned<Vec<u8>>>,
    /// The settings that Dovecot itself reads; `None` if its `dovecot.conf` is
    /// not one of the files.
    pub dovecot: Option<DovecotService>,
    /// `fantail`.
    pub registry: RegistrySettings,
}

impl Settings {
    /// Returns the Dovecot that the configuration is for.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::new(self.dialect, self.release)
    }
}

/// `fantail { … }`: the settings of the metric registry, an extension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistrySettings {
    /// The limits on series.
    pub limits: Limits,
    /// The time without an event after which a series is dropped; `None` is
    /// never.
    pub idle_series: Option<Duration>,
    /// The field whose values are exemplars; `None` for no exemplars.
    pub exemplars: Option<Vec<u8>>,
}

/// `metric NAME { … }`
#[derive(Debug, Clone)]
pub struct Metric {
    /// The name, fields and levels of sub-metrics.
    pub settings: MetricSettings,
    /// The filter; not empty.
    pub filter: Filter,
    /// The filter as text; it maps positions in the filter to positions in the
    /// files.
    pub filter_text: Text,
    /// The exporters of its events, without repetitions: names of
    /// [`Settings::exporters`]. More than one are an extension.
    pub exporters: Vec<Spanned<Vec<u8>>>,
    /// The parts of its events that the exporters write.
    pub include: Parts,
    /// Whether scrapes have it, and its series limit (`expose`, `series_limit`):
    /// extension settings.
    pub rules: MetricRules,
    /// For each discrete level of `group_by` the values whose series exist from
    /// the start, in all combinations; empty without such series. It is an
    /// extension setting.
    pub declare: Vec<Vec<Vec<u8>>>,
    /// The positions.
    pub spans: MetricSpans,
}

/// The positions of a metric.
#[derive(Debug, Clone)]
pub struct MetricSpans {
    /// The line that opens the first block.
    pub block: Span,
    /// The name.
    pub name: Span,
    /// The fields, in the order of [`MetricSettings::fields`].
    pub fields: Vec<Span>,
    /// The levels, in the order of [`MetricSettings::group_by`].
    pub group_by: Vec<Span>,
    /// The field of [`MetricSettings::top`].
    pub top: Option<Span>,
    /// `exporter_include`, if it is set.
    pub include: Option<Span>,
    /// `expose`, if it is set.
    pub expose: Option<Span>,
    /// `series_limit`, if it is set.
    pub series_limit: Option<Span>,
}

/// The valid parts of a metric with errors.
#[derive(Debug, Clone)]
pub struct BrokenMetric {
    /// The argument of its blocks.
    pub name: Vec<u8>,
    /// The line that opens the first block.
    pub block: Span,
    /// The fields.
    pub fields: Vec<Spanned<Vec<u8>>>,
    /// The levels; none if one of them is invalid.
    pub group_by: Vec<Spanned<GroupBy>>,
    /// The exporters, which may not exist.
    pub exporters: Vec<Spanned<Vec<u8>>>,
    /// The filter and its text, if it is valid.
    pub filter: Option<(Filter, Text)>,
}

/// `service stats { … }`: the listeners of the stats process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatsService {
    /// `unix_listener PATH { … }`, without Dovecot's defaults.
    pub unix_listeners: Vec<UnixListener>,
    /// `inet_listener NAME { … }`
    pub inet_listeners: Vec<InetListener>,
}

/// The settings of `service stats` that Dovecot itself reads: those in files
/// with a name of Dovecot's files, and in the files that they include.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DovecotService {
    /// Dovecot's `dovecot.conf`.
    pub file: FileId,
    /// The folder of Dovecot's sockets, if it is set.
    pub base_dir: Option<Spanned<Vec<u8>>>,
    /// The listeners, without Dovecot's defaults.
    pub stats: StatsService,
}

/// `unix_listener PATH { mode; user; group }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixListener {
    /// The socket; relative to the base directory unless it begins with `/`.
    pub path: Spanned<Vec<u8>>,
    /// The permissions; 0 disables it.
    pub mode: Option<Spanned<u32>>,
    /// The owner.
    pub user: Option<Spanned<Vec<u8>>>,
    /// The group.
    pub group: Option<Spanned<Vec<u8>>>,
}

/// `inet_listener NAME { port; address (2.3), listen (2.4); ssl }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InetListener {
    /// The name, such as `http`.
    pub name: Spanned<Vec<u8>>,
    /// The port; 0 or none disables it.
    pub port: Option<Spanned<u16>>,
    /// The addresses; none is all.
    pub addresses: Vec<Spanned<Vec<u8>>>,
    /// Whether it uses TLS.
    pub ssl: bool,
}
