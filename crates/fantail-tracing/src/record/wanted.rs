//! The fields that a configuration reads.

use std::collections::BTreeSet;

use fantail_config::Settings;
use fantail_filter::{Filter, Mentions, Test};
use tracing_core::Metadata;

use super::metadata::{BUILT_IN, SEVERITY, SPAN, key_of};

/// The fields that filters, metrics and exporters read. Other fields are neither
/// recorded nor formatted.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether an exporter writes all fields.
    all: bool,
    /// Whether the source is read.
    source: bool,
    /// Whether the severity is read. It repeats the level: it is exported only on demand.
    severity: bool,
    /// In order.
    keys: Vec<Box<[u8]>>,
}

/// Keys that are compared one by one: mostly, their lengths differ.
const MAX_SCANNED_KEYS: usize = 16;

/// All fields but the severity.
pub(crate) static ALL: Wanted = Wanted {
    all: true,
    source: true,
    severity: false,
    keys: Vec::new(),
};

/// All fields.
static ALL_AND_SEVERITY: Wanted = Wanted {
    all: true,
    source: true,
    severity: true,
    keys: Vec::new(),
};

impl Wanted {
    pub(crate) fn of_filter(filter: &Filter) -> Self {
        let mentions = Mentions::of(filter);
        let keys = mentions.fields().map(Box::from).collect();
        Self {
            all: false,
            source: has_source(filter),
            severity: has_severity(&keys),
            keys: in_order(keys),
        }
    }

    pub(crate) fn of_settings(settings: &Settings) -> Self {
        let mut mentions = Mentions::new();
        mentions.extend(settings.metrics.iter().map(|metric| &metric.filter));
        let mut keys: BTreeSet<Box<[u8]>> = mentions.fields().map(Box::from).collect();
        let mut all = false;
        for metric in &settings.metrics {
            let fields = &metric.settings.fields;
            let groups = metric.settings.group_by.iter().map(|level| &level.field);
            keys.extend(fields.iter().chain(groups).map(|key| Box::from(&**key)));
            if let Some(top) = &metric.settings.top {
                let read = std::iter::once(top.field()).chain(top.weight());
                keys.extend(read.map(Box::from));
            }
            all |= !metric.exporters.is_empty() && fields.is_empty() && metric.include.fields;
        }
        let exemplars = settings.registry.exemplars.iter();
        keys.extend(exemplars.map(|key| Box::from(&**key)));
        let mut filters = settings.metrics.iter().map(|metric| &metric.filter);
        Self {
            all,
            // Exports may have it.
            source: !settings.exporters.is_empty() || filters.any(has_source),
            severity: has_severity(&keys),
            keys: in_order(keys),
        }
    }

    #[inline]
    fn contains(&self, key: &str) -> bool {
        let key = key.as_bytes();
        match self.keys.len() {
            0..=MAX_SCANNED_KEYS => self.keys.iter().any(|known| **known == *key),
            _ => self
                .keys
                .binary_search_by(|known| (**known).cmp(key))
                .is_ok(),
        }
    }

    /// Returns whether the source of an event is read.
    pub(crate) const fn has_source(&self) -> bool {
        self.source
    }

    /// Returns whether a field of the program is read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.all || self.contains(key)
    }

    /// Returns whether a built-in field is read.
    pub(crate) fn has_built_in(&self, key: &str) -> bool {
        match key {
            SEVERITY => self.severity,
            _ => self.has(key),
        }
    }

    /// Returns all fields; the severity only if this reads it.
    pub(crate) fn and_all_others(&self) -> &'static Self {
        match self.severity {
            true => &ALL_AND_SEVERITY,
            false => &ALL,
        }
    }

    /// Returns whether events in a span of this callsite inherit something that is read.
    pub(crate) fn inherits_from(&self, span: &Metadata<'_>) -> bool {
        self.has_built_in(SPAN)
            || span
                .fields()
                .iter()
                .any(|field| self.has(key_of(field.name())))
    }

    /// Returns whether events can inherit something that is read.
    pub(crate) fn inherits(&self) -> bool {
        let own: &[&str] = &BUILT_IN;
        let is_own =
            |key: &[u8]| key != SPAN.as_bytes() && own.iter().any(|it| it.as_bytes() == key);
        self.all || self.keys.iter().any(|key| !is_own(key))
    }
}

fn in_order(keys: BTreeSet<Box<[u8]>>) -> Vec<Box<[u8]>> {
    keys.into_iter().collect()
}

fn has_severity(keys: &BTreeSet<Box<[u8]>>) -> bool {
    keys.contains(SEVERITY.as_bytes())
}

fn has_source(filter: &Filter) -> bool {
    let mut comparisons = filter.comparisons().iter();
    comparisons.any(|comparison| matches!(comparison.test(), Test::Source(_)))
}
