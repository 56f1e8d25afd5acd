//! The settings of series: limits, declared series and exemplars.

use std::time::Duration;

use fantail_config::Settings;
use fantail_event::internal::Invariant as _;
use fantail_filter::{FilterSet, internal::Slot};
use fantail_metrics::{Limits, MetricId, MetricRules, Registry, RegistryError};

use crate::{Engine, Plan};

/// The settings of a configuration that concern series.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesPlan {
    limits: Limits,
    idle: Option<Duration>,
    exemplars: Option<Vec<u8>>,
    /// The slot of the exemplars' field.
    exemplar_slot: Option<Slot>,
    /// The values of the discrete levels of each metric.
    declared: Vec<Vec<Vec<Vec<u8>>>>,
    /// The rules of each metric.
    rules: Vec<MetricRules>,
}

impl SeriesPlan {
    /// Reads the settings; `filters` are the filters of the metrics.
    pub(crate) fn new(settings: &Settings, filters: &mut FilterSet) -> Self {
        let metrics = settings.metrics.iter();
        let exemplars = settings.registry.exemplars.clone();
        Self {
            limits: settings.registry.limits,
            idle: settings.registry.idle_series,
            exemplar_slot: exemplars.as_deref().map(|field| filters.add_slot(field)),
            exemplars,
            rules: metrics.clone().map(|metric| metric.rules).collect(),
            declared: metrics.map(|metric| metric.declare.clone()).collect(),
        }
    }

    /// Returns the slot of the exemplars' field, if exemplars are configured.
    pub(crate) const fn exemplar_slot(&self) -> Option<Slot> {
        self.exemplar_slot
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns whether a metric declares series.
    pub(crate) fn declares(&self) -> bool {
        self.declared.iter().any(|levels| !levels.is_empty())
    }

    /// Applies the settings to a registry; `ids` are its metrics in the order of the
    /// plan.
    ///
    /// # Errors
    /// The declared series exceed the limits.
    pub(crate) fn apply(
        &self,
        registry: &mut Registry,
        ids: &[MetricId],
    ) -> Result<(), RegistryError> {
        registry.set_limits(self.limits);
        registry.keep_exemplars(self.exemplars.as_deref());
        for (id, rules) in ids.iter().zip(&self.rules) {
            registry.set_rules(*id, *rules);
        }
        for (id, levels) in ids.iter().zip(&self.declared) {
            for values in combinations(levels) {
                registry.declare(*id, &values)?;
            }
        }
        Ok(())
    }
}

/// Returns all combinations of one value per level; none if there are no
/// levels.
///
/// They are built one at a time: a few lines of configuration can declare more
/// combinations than fit into memory, and the registry stops at its limits.
fn combinations(levels: &[Vec<Vec<u8>>]) -> impl Iterator<Item = Vec<&[u8]>> {
    let lengths = levels.iter().map(Vec::len);
    let ways = match levels {
        [] => 0,
        _ => lengths.fold(1, usize::saturating_mul),
    };
    (0..ways).map(move |way| {
        let mut rest = way;
        let mut one = Vec::with_capacity(levels.len());
        for values in levels.iter().rev() {
            let value = values.get(rest % values.len());
            one.push(value.map(Vec::as_slice).always());
            rest /= values.len();
        }
        one.reverse();
        one
    })
}

impl Plan {
    /// Returns the time without an event after which a series is
    /// [dropped](Engine::drop_idle); `None` for never.
    #[must_use]
    pub const fn idle_series(&self) -> Option<Duration> {
        self.series.idle
    }
}

impl Engine {
    /// [Drops](Self::drop_idle) series that were idle for the configured time. Call
    /// it several times in that time; `now` is the time since a fixed moment.
    pub fn tidy(&mut self, now: Duration) -> usize {
        let idle = self.plan().idle_series();
        idle.map_or(0, |idle| self.drop_idle(now, idle))
    }
}

#[cfg(test)]
mod tests {
    use super::combinations;

    #[test]
    fn combinations_have_one_value_of_each_level() {
        let levels = |words: &[&str]| -> Vec<Vec<Vec<u8>>> {
            let level = |word: &&str| word.split(',').map(|w| w.as_bytes().to_vec()).collect();
            words.iter().map(level).collect()
        };
        let check = |words: &[&str], expected: &[&str]| {
            let levels = levels(words);
            let found: Vec<String> = combinations(&levels)
                .map(|one| String::from_utf8(one.join(&b' ')).unwrap())
                .collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&["a"], &["a"]);
        check(&["a,b", "x,y"], &["a x", "a y", "b x", "b y"]);
        let many = vec![vec![b"v".to_vec(); 1000]; 12];
        assert_eq!(combinations(&many).take(3).count(), 3);
    }
}
