//! The settings of metrics, exporters and extension blocks, in both dialects.
//!
//! In 2.3 a setting has one name. In 2.4 it has a full name. Inside a block
//! with the prefix `metric_` and the argument `a`, `x` is the first existing
//! one of `x`, `metric_x` and `metric_a_x`.

pub(crate) mod context;
pub(crate) mod extension;
pub(crate) mod extension_mention;
pub(crate) mod list;
pub(crate) mod renamed;
pub(crate) mod section;

use fantail_event::Dialect;

use self::extension::Extension;

/// A kind of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Metric,
    Exporter,
    GroupBy,
    Method,
    /// `fantail`, which Dovecot does not have.
    Registry,
}

/// The purpose of a setting, under any of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Name,
    Description,
    Filter,
    Fields,
    GroupBy,
    Exporter,
    Include,
    Field,
    Method,
    MethodName,
    Modifier,
    MinMagnitude,
    MaxMagnitude,
    Base,
    Min,
    Max,
    Step,
    /// Settings of the method `top`, an extension.
    Shown,
    Counters,
    Weight,
    /// 2.3's `transport`, 2.4's `driver`.
    Transport,
    TransportArguments,
    TransportTimeout,
    Format,
    FormatArguments,
    TimeFormat,
    Url,
    HttpTimeout,
    FilePath,
    UnixPath,
    UnixTimeout,
    /// An extension setting of an exporter.
    Extension(Extension),
    /// Extension settings of a metric.
    Declare,
    Expose,
    SeriesLimit,
    SeriesPerMetric,
    SeriesTotal,
    IdleSeries,
    Exemplars,
}

impl Key {
    /// Returns the 2.4 setting that replaces a setting of 2.3 only.
    pub(crate) fn in_2_4(self) -> Self {
        match self {
            Self::FormatArguments => Self::TimeFormat,
            Self::TransportArguments => Self::Url,
            Self::TransportTimeout => Self::HttpTimeout,
            other => other,
        }
    }
}

/// The syntax after a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `name = value`
    Value,
    /// `name = word word` or, in 2.4, `name { word = yes }`
    List,
    /// `name argument {`
    Block,
}

/// A setting of a kind of block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) key: Key,
    pub(crate) shape: Shape,
}

const fn value(name: &'static str, key: Key) -> Row {
    let shape = Shape::Value;
    Row { name, key, shape }
}

const fn list(name: &'static str, key: Key) -> Row {
    let shape = Shape::List;
    Row { name, key, shape }
}

const fn block(name: &'static str, key: Key) -> Row {
    let shape = Shape::Block;
    Row { name, key, shape }
}

const METRIC_2_3: &[Row] = &[
    value("metric_name", Key::Name),
    value("description", Key::Description),
    value("filter", Key::Filter),
    list("fields", Key::Fields),
    value("group_by", Key::GroupBy),
    value("exporter", Key::Exporter),
    list("exporter_include", Key::Include),
    value("declare", Key::Declare),
    value("expose", Key::Expose),
    value("series_limit", Key::SeriesLimit),
];

/// Concatenates two tables.
const fn joined<const N: usize>(first: &[Row], second: &[Row]) -> [Row; N] {
    let mut rows = [value("", Key::Name); N];
    let (one, other) = rows.split_at_mut(first.len());
    one.copy_from_slice(first);
    other.copy_from_slice(second);
    rows
}

const EXPORTER_2_3: &[Row] =
    &joined::<{ DOVECOT_2_3.len() + extension::ROWS_2_3.len() }>(DOVECOT_2_3, extension::ROWS_2_3);

const EXPORTER_2_4: &[Row] =
    &joined::<{ DOVECOT_2_4.len() + extension::ROWS_2_4.len() }>(DOVECOT_2_4, extension::ROWS_2_4);

/// Paths and the last timeout are settings of 2.4: fantail has the targets in
/// both dialects.
const DOVECOT_2_3: &[Row] = &[
    value("name", Key::Name),
    value("transport", Key::Transport),
    value("transport_args", Key::TransportArguments),
    value("transport_timeout", Key::TransportTimeout),
    value("format", Key::Format),
    value("format_args", Key::FormatArguments),
    value("file_path", Key::FilePath),
    value("unix_path", Key::UnixPath),
    value("unix_connect_timeout", Key::UnixTimeout),
];

const METRIC_2_4: &[Row] = &[
    value("metric_name", Key::Name),
    value("metric_description", Key::Description),
    value("metric_filter", Key::Filter),
    list("metric_fields", Key::Fields),
    block("metric_group_by", Key::GroupBy),
    value("metric_exporter", Key::Exporter),
    list("metric_exporter_include", Key::Include),
    value("metric_declare", Key::Declare),
    value("metric_expose", Key::Expose),
    value("metric_series_limit", Key::SeriesLimit),
];

const DOVECOT_2_4: &[Row] = &[
    value("event_exporter_name", Key::Name),
    value("event_exporter_driver", Key::Transport),
    value("event_exporter_format", Key::Format),
    value("event_exporter_time_format", Key::TimeFormat),
    value("event_exporter_http_post_url", Key::Url),
    value("http_client_request_absolute_timeout", Key::HttpTimeout),
    value("event_exporter_file_path", Key::FilePath),
    value("event_exporter_unix_path", Key::UnixPath),
    value("event_exporter_unix_connect_timeout", Key::UnixTimeout),
];

const GROUP_BY_2_4: &[Row] = &[
    value("metric_group_by_field", Key::Field),
    block("metric_group_by_method", Key::Method),
];

const METHOD_2_4: &[Row] = &[
    value("metric_group_by_method_method", Key::MethodName),
    value("metric_group_by_method_discrete_modifier", Key::Modifier),
    value(
        "metric_group_by_method_exponential_min_magnitude",
        Key::MinMagnitude,
    ),
    value(
        "metric_group_by_method_exponential_max_magnitude",
        Key::MaxMagnitude,
    ),
    value("metric_group_by_method_exponential_base", Key::Base),
    value("metric_group_by_method_linear_min", Key::Min),
    value("metric_group_by_method_linear_max", Key::Max),
    value("metric_group_by_method_linear_step", Key::Step),
    value("metric_group_by_method_top_shown", Key::Shown),
    value("metric_group_by_method_top_counters", Key::Counters),
    value("metric_group_by_method_top_weight", Key::Weight),
    value("metric_group_by_method_top_modifier", Key::Modifier),
];

const REGISTRY_2_3: &[Row] = &[
    value("series_per_metric", Key::SeriesPerMetric),
    value("series_total", Key::SeriesTotal),
    value("idle_series", Key::IdleSeries),
    value("exemplars", Key::Exemplars),
];

const REGISTRY_2_4: &[Row] = &[
    value("fantail_series_per_metric", Key::SeriesPerMetric),
    value("fantail_series_total", Key::SeriesTotal),
    value("fantail_idle_series", Key::IdleSeries),
    value("fantail_exemplars", Key::Exemplars),
];

/// The prefixes of settings of Dovecot's HTTP client that a 2.4 exporter may
/// have; they are ignored.
const HTTP_PREFIXES: [&str; 2] = ["http_client_", "ssl_client_"];

impl Kind {
    /// Returns the kind of block with this name outside of other blocks.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let kinds = [Self::Metric, Self::Exporter, Self::Registry];
        kinds
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }

    /// Returns the name of a block of this kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Exporter => "event_exporter",
            Self::GroupBy => "metric_group_by",
            Self::Method => "metric_group_by_method",
            Self::Registry => "fantail",
        }
    }

    /// Returns the settings of this kind of block.
    pub(crate) fn rows(self, dialect: Dialect) -> &'static [Row] {
        match (self, dialect) {
            (Self::Metric, Dialect::V2_3) => METRIC_2_3,
            (Self::Exporter, Dialect::V2_3) => EXPORTER_2_3,
            (Self::Metric, Dialect::V2_4) => METRIC_2_4,
            (Self::Exporter, Dialect::V2_4) => EXPORTER_2_4,
            (Self::Registry, Dialect::V2_3) => REGISTRY_2_3,
            (Self::Registry, Dialect::V2_4) => REGISTRY_2_4,
            (Self::GroupBy, _) => GROUP_BY_2_4,
            (Self::Method, _) => METHOD_2_4,
        }
    }

    /// Returns the setting with the name `key` in a block with this argument.
    pub(crate) fn find(self, dialect: Dialect, argument: &[u8], key: &[u8]) -> Option<Row> {
        let rows = self.rows(dialect);
        let named = |name: &[u8]| rows.iter().find(|row| row.name.as_bytes() == name).copied();
        if dialect == Dialect::V2_3 {
            return named(key);
        }
        let kind = self.name().as_bytes();
        named(key)
            .or_else(|| named(&[kind, b"_", key].concat()))
            .or_else(|| named(&[kind, b"_", argument, b"_", key].concat()))
    }

    /// Returns whether `key` is a setting of Dovecot that is ignored here.
    pub(crate) fn passes_over(self, dialect: Dialect, key: &[u8]) -> bool {
        let prefixes = HTTP_PREFIXES.iter();
        dialect == Dialect::V2_4
            && self == Self::Exporter
            && prefixes
                .map(|prefix| prefix.as_bytes())
                .any(|prefix| key.starts_with(prefix))
    }

    /// Returns the shortest name of a setting in a block with this argument.
    pub(crate) fn short_name(self, dialect: Dialect, argument: &[u8], row: Row) -> &'static str {
        if dialect == Dialect::V2_3 {
            return row.name;
        }
        let Some(short) = row
            .name
            .strip_prefix(self.name())
            .and_then(|rest| rest.strip_prefix('_'))
        else {
            return row.name;
        };
        let shorter = std::str::from_utf8(argument)
            .ok()
            .and_then(|argument| short.strip_prefix(argument))
            .and_then(|rest| rest.strip_prefix('_'));
        shorter.unwrap_or(short)
    }
}
