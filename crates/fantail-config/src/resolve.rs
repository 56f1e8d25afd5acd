//! Resolving raw settings to typed ones.
//!
//! Settings of other parts of Dovecot are ignored. All relevant settings are
//! checked, so that one run reports all errors.

pub(crate) mod exporter;
pub(crate) mod group_by;
pub(crate) mod interval;
pub(crate) mod log;
pub(crate) mod metric;
pub(crate) mod modifier;
mod number;
pub(crate) mod registry;
pub(crate) mod routing;
pub(crate) mod service;
pub(crate) mod size;
mod top;

use std::collections::HashMap;

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostic,
    diagnostic::code::Code,
    diagnostic::source::{Span, Spanned},
    diagnostic::suggest,
    schema::context::{Context, GroupBlock},
    schema::section::{Named, Section, with_groups},
    schema::{Kind, Row, Shape},
    settings::exporter::Exporter,
    settings::{BrokenMetric, Metric, Settings},
    syntax::raw::{RawBlock, RawEntry, RawSetting},
};

/// Resolves a configuration; also returns the metrics with errors.
pub(crate) fn resolve(context: &mut Context<'_>) -> (Settings, Vec<BrokenMetric>) {
    let top = Top::sort(context);
    let mut exporters = exporters(&top, context);
    top.log.fill(&mut exporters.list);
    let mut names: Vec<&[u8]> = exporters.names.keys().map(Vec::as_slice).collect();
    names.sort_unstable();
    let (metrics, broken) = metrics(&top, &names, context);
    let settings = Settings {
        dialect: context.dialect,
        release: None,
        metrics,
        exporters: exporters.list,
        base_dir: top.base_dir,
        internal_group: top.internal_group,
        login_user: top.login_user,
        dovecot: None,
        registry: registry::resolve(&top.registry, &top.registry_defaults, context),
        stats: service::resolve(top.stats.into_iter(), context),
    };
    (settings, broken)
}

/// Resolves a configuration with a single metric.
pub(crate) fn one_metric(context: &mut Context<'_>, exporters: &[Exporter]) -> Option<Metric> {
    let top = Top::sort(context);
    let mut names: Vec<&[u8]> = exporters.iter().map(|one| one.name.as_slice()).collect();
    names.sort_unstable();
    metrics(&top, &names, context).0.pop()
}

/// The settings and blocks outside of all blocks, by purpose.
#[derive(Default)]
struct Top<'a> {
    metrics: Vec<&'a RawBlock>,
    exporters: Vec<&'a RawBlock>,
    stats: Vec<&'a RawBlock>,
    registry: Vec<&'a RawBlock>,
    /// The groups for the whole configuration.
    groups: Vec<GroupBlock<'a>>,
    metric_defaults: Vec<(Row, &'a RawSetting)>,
    exporter_defaults: Vec<(Row, &'a RawSetting)>,
    registry_defaults: Vec<(Row, &'a RawSetting)>,
    base_dir: Option<Spanned<Vec<u8>>>,
    internal_group: Option<Spanned<Vec<u8>>>,
    login_user: Option<Spanned<Vec<u8>>>,
    log: log::DovecotLog,
}

impl<'a> Top<'a> {
    fn sort(context: &mut Context<'a>) -> Self {
        let mut top = Self::default();
        for entry in context.raw.top() {
            if context.diagnostics.is_full() {
                break;
            }
            match entry {
                RawEntry::Setting(setting) => top.setting(setting, context),
                RawEntry::Block(block) => top.block(block, context),
            }
        }
        top.groups.sort_by_key(|group| group.order);
        top.groups.dedup_by_key(|group| group.order);
        top
    }

    /// Returns the blocks of a kind, by name, in Dovecot's order.
    fn named(&self, kind: Kind, context: &Context<'a>) -> Vec<Named<'a>> {
        let grouped = self
            .groups
            .iter()
            .flat_map(|group| context.raw.within(group.block));
        let grouped = grouped.filter_map(|entry| match entry {
            RawEntry::Block(block) if block.name.bytes() == kind.name().as_bytes() => Some(block),
            _ => None,
        });
        let own = match kind {
            Kind::Metric => &self.metrics,
            _ => &self.exporters,
        };
        with_groups(grouped, own.iter().copied())
    }

    fn setting(&mut self, setting: &'a RawSetting, context: &mut Context<'a>) {
        let key = setting.key.bytes();
        match key {
            b"base_dir" => self.base_dir = Some(service::bytes(setting)),
            b"default_internal_group" => self.internal_group = Some(service::bytes(setting)),
            b"default_login_user" => self.login_user = Some(service::bytes(setting)),
            [b'@', ..] => self.groups.extend(context.group(setting)),
            _ => self.log.setting(key, setting.value.bytes()),
        }
        for kind in [Kind::Metric, Kind::Exporter, Kind::Registry] {
            if key == kind.name().as_bytes() {
                let name = kind.name();
                let message = format!("`{name}` is a block, not a setting");
                let argument = if kind == Kind::Registry { "" } else { " NAME" };
                let help = format!("write `{name}{argument} {{`");
                let place = setting.key.span();
                context.push(Diagnostic::new(Code::WrongKind, message, place).help(help));
            } else if context.dialect == Dialect::V2_4 && is_path(kind, key) {
                let message = "settings given by their path are not supported here";
                let help = format!("write it in a block `{} NAME {{`", kind.name());
                let place = setting.key.span();
                context.push(Diagnostic::new(Code::WrongKind, message, place).help(help));
            } else if context.dialect == Dialect::V2_4 {
                self.default_of(kind, setting, context);
            }
        }
    }

    /// Adds a default: in 2.4, a relevant setting outside of blocks is a
    /// default for them.
    fn default_of(&mut self, kind: Kind, setting: &'a RawSetting, context: &mut Context<'a>) {
        let key = setting.key.bytes();
        let prefix = [kind.name().as_bytes(), b"_"].concat();
        if !key.starts_with(&prefix) {
            return;
        }
        let rows = kind.rows(context.dialect);
        match rows.iter().find(|row| row.name.as_bytes() == key) {
            Some(row) if row.shape == Shape::Block => {}
            Some(row) => match kind {
                Kind::Metric => self.metric_defaults.push((*row, setting)),
                Kind::Registry => self.registry_defaults.push((*row, setting)),
                _ => self.exporter_defaults.push((*row, setting)),
            },
            None if key.starts_with(b"metric_group_by") => {}
            None => {
                let written = String::from_utf8_lossy(key);
                let names = rows.iter().map(|row| row.name.as_bytes());
                let nearest = suggest::nearest(key, names);
                let message = format!("unknown setting `{written}`");
                context.push(
                    Diagnostic::new(Code::UnknownSetting, message, setting.key.span())
                        .suggest(nearest.and_then(|name| std::str::from_utf8(name).ok())),
                );
            }
        }
    }

    fn block(&mut self, block: &'a RawBlock, context: &mut Context<'a>) {
        if self.ours(block) || block.label.is_some() {
            return;
        }
        let name = block.name.bytes();
        if name == b"service" {
            if service::is_stats(block) {
                self.stats.push(block);
            }
            return;
        }
        let ours = [Kind::Metric, Kind::Exporter].map(|kind| kind.name().as_bytes());
        if let Some(near) = suggest::nearest(name, ours)
            && name.len().abs_diff(near.len()) <= 1
        {
            let written = String::from_utf8_lossy(name);
            let message = format!("unknown block `{written}`");
            let near = String::from_utf8_lossy(near);
            context.push(
                Diagnostic::new(Code::UnknownBlock, message, block.name.span())
                    .suggest(Some(near.as_ref())),
            );
        }
        for entry in context.raw.within(block) {
            if let RawEntry::Block(inner) = entry
                && ours.contains(&inner.name.bytes())
            {
                let code = Code::OutOfSight;
                let outer = String::from_utf8_lossy(name);
                context.push(
                    Diagnostic::new(code, code.title(), inner.span).note(format!(
                        "it stands in `{outer}`, which does not apply to the stats process"
                    )),
                );
            }
        }
    }

    /// Adds a block if it is relevant; returns whether it is.
    fn ours(&mut self, block: &'a RawBlock) -> bool {
        if block.label.is_some() {
            return false;
        }
        match block.name.bytes() {
            b"metric" => self.metrics.push(block),
            b"event_exporter" => self.exporters.push(block),
            b"fantail" => self.registry.push(block),
            _ => return false,
        }
        true
    }
}

/// Returns whether the key is `metric/name/filter`.
fn is_path(kind: Kind, key: &[u8]) -> bool {
    let rest = key.strip_prefix(kind.name().as_bytes());
    rest.is_some_and(|rest| rest.starts_with(b"/"))
}

/// The exporters, and the names of all exporters, including invalid ones.
struct Exporters {
    list: Vec<Exporter>,
    names: HashMap<Vec<u8>, Span>,
}

fn exporters<'a>(top: &Top<'a>, context: &mut Context<'a>) -> Exporters {
    let mut exporters = Exporters {
        list: Vec::new(),
        names: HashMap::new(),
    };
    for named in top.named(Kind::Exporter, context) {
        let defaults = &top.exporter_defaults;
        let Some(section) = Section::gather(Kind::Exporter, &named, defaults, context) else {
            continue;
        };
        let resolved = exporter::resolve(&section, context);
        let name = resolved
            .as_ref()
            .map_or(section.name.bytes(), |exporter| &exporter.name);
        if is_taken(&mut exporters.names, name, &section, context) {
            continue;
        }
        exporters.list.extend(resolved);
    }
    exporters
}

fn metrics<'a>(
    top: &Top<'a>,
    exporters: &[&[u8]],
    context: &mut Context<'a>,
) -> (Vec<Metric>, Vec<BrokenMetric>) {
    let mut names = HashMap::new();
    let (mut metrics, mut broken) = (Vec::new(), Vec::new());
    for named in top.named(Kind::Metric, context) {
        let defaults = &top.metric_defaults;
        let Some(section) = Section::gather(Kind::Metric, &named, defaults, context) else {
            continue;
        };
        let resolved = metric::resolve(&section, exporters, context);
        let name = resolved
            .as_ref()
            .map_or(section.name.bytes(), |metric| &metric.settings.name);
        let taken = is_taken(&mut names, name, &section, context);
        match resolved {
            Ok(metric) if !taken => metrics.push(metric),
            Ok(_) => {}
            Err(one) => broken.push(*one),
        }
    }
    (metrics, broken)
}

/// Returns whether another block, with another argument, has this name.
fn is_taken(
    names: &mut HashMap<Vec<u8>, Span>,
    name: &[u8],
    section: &Section<'_>,
    context: &mut Context<'_>,
) -> bool {
    let Some(first) = names.insert(name.to_vec(), section.span) else {
        return false;
    };
    let (kind, name) = (section.kind.name(), String::from_utf8_lossy(name));
    let message = format!("two blocks `{kind}` are called `{name}`");
    context.push(
        Diagnostic::new(Code::NameTaken, message, section.span)
            .note_at("the first one is here", first),
    );
    true
}
