//! A configuration text, compiled.

use std::sync::Arc;

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::Plan;
use fantail_event::Dialect;
use fantail_filter::Filter;
use tracing_core::{LevelFilter, Metadata};

use super::{
    error::{ConfigError, ConfigErrorKind},
    exporters::Exporters,
};
use crate::{
    callsite::{
        counted::CountedCallsites,
        decisions::Compilation,
        verdict::{Known, Verdict, most_verbose},
    },
    record::{metadata::name_of, wanted::Wanted},
};

/// The file name in error messages.
const FILE_NAME: &str = "tracing.conf";

/// A compiled configuration; another text is another one.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) plan: Arc<Plan>,
    pub(crate) settings: Settings,
    pub(crate) wanted: Wanted,
    pub(crate) exporters: Exporters,
    /// Present if events are only counted.
    pub(crate) counted: Option<CountedCallsites>,
    compilation: Compilation,
    /// Whether every filter requires a name: none then matches an unnamed event.
    requires_name: bool,
}

impl Compiled {
    /// Compiles a text and starts its exporters; those of the former configuration that
    /// have not changed go on.
    pub(crate) fn new(text: &str, former: &Exporters, host: &[u8]) -> Result<Self, ConfigError> {
        let options = LoadOptions {
            dialect: Some(Dialect::V2_4),
            ..LoadOptions::default()
        };
        let loaded = load_text(FILE_NAME, text, &options)
            .accept()
            .map_err(ConfigErrorKind::Refused)?;
        let settings = loaded.settings;
        let plan = Plan::new(&settings).map_err(ConfigErrorKind::Plan)?;
        let mut metrics = settings.metrics.iter();
        Ok(Self {
            counted: CountedCallsites::new(&plan),
            plan: Arc::new(plan),
            wanted: Wanted::of_settings(&settings),
            compilation: Compilation::unique(),
            requires_name: metrics.all(|metric| metric.filter.requires_name()),
            exporters: Exporters::start(&settings, former, host)?,
            settings,
        })
    }

    fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.settings.metrics.iter().map(|metric| &metric.filter)
    }

    /// Returns whether spans or events of this callsite are recorded: those that a
    /// metric can match, and spans that events inherit from.
    pub(crate) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let decide = || {
            let inherits = !metadata.is_event() && self.wanted.inherits_from(metadata);
            match inherits || self.can_match(metadata) {
                true => Verdict::Always,
                false => Verdict::Never,
            }
        };
        self.compilation.decision(metadata, decide) != Verdict::Never
    }

    fn can_match(&self, metadata: &Metadata<'_>) -> bool {
        let known = Known::of(metadata);
        if self.requires_name && name_of(metadata).is_none() {
            return false;
        }
        let mut filters = self.filters();
        filters.any(|filter| known.evaluate(filter) != Verdict::Never)
    }

    /// Returns the most verbose level that is recorded.
    pub(crate) fn max_level(&self) -> LevelFilter {
        match self.wanted.inherits() && self.filters().next().is_some() {
            // A span of any level can have the field.
            true => LevelFilter::TRACE,
            false => most_verbose(self.filters()),
        }
    }
}
