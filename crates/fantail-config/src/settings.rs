//! What a configuration means to fantail.
//!
//! Plain values, resolved and checked; each keeps the place it was written
//! at, so that later checks can point there.

pub(crate) mod exporter;
pub(crate) mod extension_setting;
pub(crate) mod release;

use std::time::Duration;

use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_format::Parts;
use fantail_metrics::{GroupBy, Limits, MetricSettings};

use crate::{
    diagnostic::source::{FileId, Span, Spanned},
    settings::exporter::Exporter,
    settings::release::{Release, Target},
    syntax::text::Text,
};

/// The settings of a configuration that are used here.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose rules apply.
    pub dialect: Dialect,
    /// The release of Dovecot, if it is known: that of [`LoadOptions::release`], else that
    /// of `dovecot_config_version`.
    ///
    /// [`LoadOptions::release`]: crate::LoadOptions::release
    pub release: Option<Release>,
    /// The metrics in the order of their first block; their names are unique.
    pub metrics: Vec<Metric>,
    /// The exporters in the order of their first block; their names are unique.
    pub exporters: Vec<Exporter>,
    /// Where Dovecot keeps its sockets, if that is given.
    pub base_dir: Option<Spanned<Vec<u8>>>,
    /// `service stats`.
    pub stats: StatsService,
    /// The group of Dovecot's own processes (`default_internal_group`), if
    /// that is given.
    pub internal_group: Option<Spanned<Vec<u8>>>,
    /// The user of login processes (`default_login_user`), if that is given.
    pub login_user: Option<Spanned<Vec<u8>>>,
    /// What Dovecot reads of this for itself; `None` if its `dovecot.conf` is not
    /// among the files.
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

/// `fantail { … }`: how metrics are kept. Dovecot does not know this block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistrySettings {
    /// How many series there may be.
    pub limits: Limits,
    /// After how much time without an event a series is dropped; `None`:
    /// never.
    pub idle_series: Option<Duration>,
    /// The field whose value exemplars tell; `None`: there are none.
    pub exemplars: Option<Vec<u8>>,
}

/// `metric NAME { … }`
#[derive(Debug, Clone)]
pub struct Metric {
    /// Its name, fields and levels of sub-metrics.
    pub settings: MetricSettings,
    /// Its filter; not empty.
    pub filter: Filter,
    /// The filter as text; maps places in it to places in the files.
    pub filter_text: Text,
    /// The exporter that gets its events; one of [`Settings::exporters`].
    pub exporter: Option<Spanned<Vec<u8>>>,
    /// What the exporter writes of them.
    pub include: Parts,
    /// For each discrete level of `group_by` the values whose series are there
    /// from the start, in all combinations; empty if none are. Dovecot does not
    /// know this.
    pub declare: Vec<Vec<Vec<u8>>>,
    /// Where all this was written.
    pub spans: MetricSpans,
}

/// Where a metric was written.
#[derive(Debug, Clone)]
pub struct MetricSpans {
    /// The line that opens its first block.
    pub block: Span,
    /// Its name.
    pub name: Span,
    /// Its fields, in the order of [`MetricSettings::fields`].
    pub fields: Vec<Span>,
    /// Its levels, in the order of [`MetricSettings::group_by`].
    pub group_by: Vec<Span>,
    /// The value of `exporter_include`, if there is one.
    pub include: Option<Span>,
}

/// What could be read of a metric that has errors.
#[derive(Debug, Clone)]
pub struct BrokenMetric {
    /// The argument of its blocks.
    pub name: Vec<u8>,
    /// The line that opens its first block.
    pub block: Span,
    /// Its fields.
    pub fields: Vec<Spanned<Vec<u8>>>,
    /// Its levels; none if one of them is wrong.
    pub group_by: Vec<Spanned<GroupBy>>,
    /// Its exporter, which may not exist.
    pub exporter: Option<Spanned<Vec<u8>>>,
    /// Its filter and the text of that, if it is not to blame.
    pub filter: Option<(Filter, Text)>,
}

/// `service stats { … }`: where the stats process listens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatsService {
    /// `unix_listener PATH { … }`; Dovecot's own defaults are not among them.
    pub unix_listeners: Vec<UnixListener>,
    /// `inet_listener NAME { … }`
    pub inet_listeners: Vec<InetListener>,
}

/// What Dovecot itself reads of `service stats`: settings in the files that
/// have a name of Dovecot's files, and in those that they include.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DovecotService {
    /// Its `dovecot.conf`.
    pub file: FileId,
    /// Where Dovecot keeps its sockets, if that is given.
    pub base_dir: Option<Spanned<Vec<u8>>>,
    /// Its listeners; Dovecot's own defaults are not among them.
    pub stats: StatsService,
}

/// `unix_listener PATH { mode; user; group }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixListener {
    /// The socket; relative to the base directory unless it begins with `/`.
    pub path: Spanned<Vec<u8>>,
    /// Its permissions; 0 switches it off.
    pub mode: Option<Spanned<u32>>,
    /// Its owner.
    pub user: Option<Spanned<Vec<u8>>>,
    /// Its group.
    pub group: Option<Spanned<Vec<u8>>>,
}

/// `inet_listener NAME { port; address (2.3), listen (2.4); ssl }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InetListener {
    /// Its name, such as `http`.
    pub name: Spanned<Vec<u8>>,
    /// The port; 0 or none switches it off.
    pub port: Option<Spanned<u16>>,
    /// The addresses; none means all.
    pub addresses: Vec<Spanned<Vec<u8>>>,
    /// Whether it speaks TLS.
    pub ssl: bool,
}
