//! The fields that a configuration reads.

use std::collections::BTreeSet;

use fantail_config::Settings;
use fantail_filter::{Filter, Mentions};
use tracing_core::Metadata;

use super::metadata::{BUILT_IN, SEVERITY, SPAN, key_of};

/// The fields that filters, metrics and exporters read. Other fields are neither
/// recorded nor formatted.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether an exporter writes all fields.
    all: bool,
    keys: BTreeSet<Box<[u8]>>,
}

/// All fields.
pub(crate) static ALL: Wanted = Wanted {
    all: true,
    keys: BTreeSet::new(),
};

impl Wanted {
    pub(crate) fn of_filter(filter: &Filter) -> Self {
        let mentions = Mentions::of(filter);
        Self {
            all: false,
            keys: mentions.fields().map(Box::from).collect(),
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
            all |= !metric.exporters.is_empty() && fields.is_empty() && metric.include.fields;
        }
        let exemplars = settings.registry.exemplars.iter();
        keys.extend(exemplars.map(|key| Box::from(&**key)));
        Self { all, keys }
    }

    /// Returns whether a field of the program is read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.all || self.keys.contains(key.as_bytes())
    }

    /// Returns whether a built-in field is read. The severity repeats the level: it is
    /// exported only on demand.
    pub(crate) fn has_built_in(&self, key: &str) -> bool {
        self.keys.contains(key.as_bytes()) || self.all && key != SEVERITY
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
