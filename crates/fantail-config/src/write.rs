//! Writing typed settings as the text of a configuration.
//!
//! The text contains effective settings, with comments on request: no settings
//! with their default, and no blocks of other services. Reading it gives the
//! same settings. Writing does not translate: settings that only the other
//! series of Dovecot can express are written unchanged.

pub(crate) mod add;
mod block;
pub(crate) mod comments;
mod exporter;

use fantail_event::Dialect;
use fantail_format::Parts;
use fantail_metrics::{GroupBy, Method, Top};

use self::block::Block;
use crate::{
    diagnostic::source::Sources,
    resolve::modifier,
    settings::release::Release,
    settings::{Metric, RegistrySettings, Settings, StatsService},
    write::comments::{BlockComments, Comments},
};

/// Returns the first lines of a 2.4 configuration: those of this release, otherwise
/// of 2.4.0, which each release of 2.4 accepts.
///
/// ```
/// use fantail_config::{Release, version_lines};
///
/// assert!(version_lines(None).starts_with("dovecot_config_version = 2.4.0\n"));
/// let lines = version_lines(Release::parse("2.4.1"));
/// assert!(lines.starts_with("dovecot_config_version = 2.4.1\n"));
/// ```
#[must_use]
pub fn version_lines(release: Option<Release>) -> String {
    let of_2_4 = release.filter(|release| release.dialect() == Some(Dialect::V2_4));
    let release = of_2_4.unwrap_or(Release::first_of(Dialect::V2_4));
    format!("dovecot_config_version = {release}\ndovecot_storage_version = {release}\n")
}

/// Writes settings in the syntax of their own dialect; for 2.4 with the first
/// lines of a configuration.
///
/// ```
/// use fantail_config::{LoadOptions, Settings, load_text, write};
///
/// let text = "metric logins {\n  filter = event=login\n}\n";
/// let settings: Settings = load_text("a.conf", text, &LoadOptions::default()).accept()?.settings;
/// let written = String::from_utf8(write(&settings))?;
/// let again = load_text("b.conf", written, &LoadOptions::default()).accept()?;
/// assert_eq!(again.settings.metrics[0].settings, settings.metrics[0].settings);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn write(settings: &Settings) -> Vec<u8> {
    let mut text = Vec::new();
    if settings.dialect == Dialect::V2_4 {
        text.extend_from_slice(version_lines(settings.release).as_bytes());
    }
    write_blocks(settings, None, &mut text);
    text
}

/// Writes only the blocks, with their comments in the original files.
pub fn write_blocks(settings: &Settings, comments: Option<&Comments<'_>>, text: &mut Vec<u8>) {
    let of_block = |block| comments.map_or_else(BlockComments::default, |all| all.of_block(block));
    for one in &settings.exporters {
        let mut block = Block::new(text, settings.dialect, of_block(one.spans.block));
        block.exporter(one, settings.dialect);
    }
    for one in &settings.metrics {
        let sources = comments.map(Comments::sources);
        let comments = of_block(one.spans.block);
        metric(one, settings.dialect, (comments, sources), text);
    }
    write_stats(settings, text);
    write_registry(settings, comments, text);
}

/// Writes one `metric` block.
pub fn write_metric(one: &Metric, dialect: Dialect, text: &mut Vec<u8>) {
    metric(one, dialect, (BlockComments::default(), None), text);
}

/// Writes one `metric` block, with each comment at its setting. With the files, the
/// filter has the same lines as there.
fn metric(
    metric: &Metric,
    dialect: Dialect,
    (comments, sources): (BlockComments, Option<&Sources>),
    text: &mut Vec<u8>,
) {
    let mut block = Block::new(text, dialect, comments);
    let settings = &metric.settings;
    block.open(b"metric", &settings.name);
    if !settings.description.is_empty() {
        block.set("description", &settings.description);
    }
    match sources {
        Some(sources) => block.set_lines("filter", &metric.filter_text, sources),
        None => block.set("filter", metric.filter_text.bytes()),
    }
    if !settings.fields.is_empty() {
        block.set("fields", &bstr::join(" ", &settings.fields));
    }
    match dialect {
        Dialect::V2_3 => {
            let levels = settings.group_by.iter().map(level_word);
            let levels: Vec<Vec<u8>> = levels.chain(settings.top.iter().map(top_word)).collect();
            if !levels.is_empty() {
                block.set("group_by", &bstr::join(" ", levels));
            }
        }
        Dialect::V2_4 => {
            for level in &settings.group_by {
                block.level(level);
            }
            if let Some(top) = &settings.top {
                block.top(top);
            }
        }
    }
    if !metric.exporters.is_empty() {
        let names = metric.exporters.iter().map(|exporter| &exporter.value);
        block.set("exporter", &bstr::join(" ", names));
    }
    if !metric.rules.exposed {
        block.set("expose", b"no");
    }
    if let Some(limit) = metric.rules.series_limit {
        block.set("series_limit", limit.to_string().as_bytes());
    }
    if !metric.declare.is_empty() {
        block.set("declare", &declared(metric));
    }
    if metric.include != Parts::ALL {
        block.set("exporter_include", &words(metric.include));
    }
    block.close();
}

/// Writes `service stats`, if it has listeners.
fn write_stats(settings: &Settings, text: &mut Vec<u8>) {
    let StatsService {
        unix_listeners,
        inet_listeners,
    } = &settings.stats;
    if unix_listeners.is_empty() && inet_listeners.is_empty() {
        return;
    }
    let mut block = Block::new(text, settings.dialect, BlockComments::default());
    block.open(b"service", b"stats");
    for listener in unix_listeners {
        block.open(b"unix_listener", &listener.path.value);
        if let Some(mode) = &listener.mode {
            block.set("mode", format!("{:04o}", mode.value).as_bytes());
        }
        for (key, value) in [("user", &listener.user), ("group", &listener.group)] {
            if let Some(value) = value {
                block.set(key, &value.value);
            }
        }
        block.close();
    }
    for listener in inet_listeners {
        block.open(b"inet_listener", &listener.name.value);
        if let Some(port) = &listener.port {
            block.set("port", port.value.to_string().as_bytes());
        }
        let key = match settings.dialect {
            Dialect::V2_3 => "address",
            Dialect::V2_4 => "listen",
        };
        let addresses: Vec<&[u8]> = listener
            .addresses
            .iter()
            .map(|address| address.value.as_slice())
            .collect();
        if !addresses.is_empty() {
            block.set(key, &bstr::join(" ", addresses));
        }
        if listener.ssl {
            block.set("ssl", b"yes");
        }
        block.close();
    }
    block.close();
}

/// Writes `fantail`, if a setting is not at its default.
fn write_registry(settings: &Settings, comments: Option<&Comments<'_>>, text: &mut Vec<u8>) {
    let (registry, default) = (&settings.registry, RegistrySettings::default());
    if *registry == default {
        return;
    }
    let comments = comments.map_or_else(BlockComments::default, Comments::of_registry);
    let mut block = Block::new(text, settings.dialect, comments);
    block.open(b"fantail", b"");
    let (limits, usual) = (&registry.limits, &default.limits);
    for (key, number, usual) in [
        (
            "series_per_metric",
            limits.series_per_metric,
            usual.series_per_metric,
        ),
        ("series_total", limits.series, usual.series),
    ] {
        if number != usual {
            block.set(key, number.to_string().as_bytes());
        }
    }
    if let Some(idle) = registry.idle_series {
        block.set("idle_series", format!("{} ms", idle.as_millis()).as_bytes());
    }
    if let Some(field) = &registry.exemplars {
        block.set("exemplars", field);
    }
    block.close();
}

/// Formats `field:value,value field:value`.
fn declared(metric: &Metric) -> Vec<u8> {
    let levels = metric.settings.group_by.iter();
    let discrete = levels.filter(|level| matches!(level.method, Method::Discrete(_)));
    let words = discrete
        .zip(&metric.declare)
        .map(|(level, values)| [&level.field, &b":"[..], &bstr::join(",", values)].concat());
    bstr::join(" ", words.collect::<Vec<_>>())
}

/// Formats 2.3's `field:linear:0:100:10`.
fn level_word(level: &GroupBy) -> Vec<u8> {
    let method = match &level.method {
        Method::Discrete(modifiers) => match modifiers.as_slice() {
            [] => String::new(),
            // 2.3 supports one modifier.
            [one, ..] => format!(":discrete:%{{{}}}", modifier::name(*one)),
        },
        Method::Exponential(method) => format!(
            ":exponential:{}:{}:{}",
            method.min_magnitude(),
            method.max_magnitude(),
            method.base()
        ),
        Method::Linear(method) => {
            format!(
                ":linear:{}:{}:{}",
                method.min(),
                method.max(),
                method.step()
            )
        }
    };
    [&level.field, method.as_bytes()].concat()
}

/// Formats 2.3's `field:top:10:weight=field:counters=1000:%{domain}`, without defaults.
fn top_word(top: &Top) -> Vec<u8> {
    let mut word = [top.field(), b":top"].concat();
    if top.shown() != Top::SHOWN {
        word.extend_from_slice(format!(":{}", top.shown()).as_bytes());
    }
    if let Some(field) = top.weight() {
        word.extend_from_slice(&[b":weight=", field].concat());
    }
    if top.counters() != Top::COUNTERS {
        word.extend_from_slice(format!(":counters={}", top.counters()).as_bytes());
    }
    // 2.3 supports one modifier.
    if let Some(one) = top.modifiers().first() {
        word.extend_from_slice(format!(":%{{{}}}", modifier::name(*one)).as_bytes());
    }
    word
}

/// Formats the words of `exporter_include`.
fn words(parts: Parts) -> Vec<u8> {
    let switches = [
        parts.name,
        parts.hostname,
        parts.timestamps,
        parts.categories,
        parts.fields,
    ];
    let words = Parts::WORDS.iter().zip(switches);
    let words: Vec<&str> = words.filter(|(_, on)| *on).map(|(word, _)| *word).collect();
    words.join(" ").into_bytes()
}
