//! How many series an engine keeps, and which are there from the start.

use std::time::Duration;

use fantail_config::Settings;
use fantail_filter::{FilterSet, Slot};
use fantail_metrics::{Limits, MetricId, Registry, RegistryError};

use crate::{Engine, Plan};

/// What a configuration says of series.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesPlan {
    limits: Limits,
    idle: Option<Duration>,
    exemplars: Option<Vec<u8>>,
    /// Where events have the field that exemplars tell.
    exemplar_slot: Option<Slot>,
    /// Of each metric: the values of its discrete levels.
    declared: Vec<Vec<Vec<Vec<u8>>>>,
}

impl SeriesPlan {
    /// `filters` are those of the metrics.
    pub(crate) fn new(settings: &Settings, filters: &mut FilterSet) -> Self {
        let metrics = settings.metrics.iter();
        let exemplars = settings.registry.exemplars.clone();
        Self {
            limits: settings.registry.limits,
            idle: settings.registry.idle_series,
            exemplar_slot: exemplars.as_deref().map(|field| filters.add_slot(field)),
            exemplars,
            declared: metrics.map(|metric| metric.declare.clone()).collect(),
        }
    }

    /// Where events have the field that exemplars tell, if there are any.
    pub(crate) const fn exemplar_slot(&self) -> Option<Slot> {
        self.exemplar_slot
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Makes a registry keep what the plan says; `ids` are its metrics in the
    /// order of the plan.
    ///
    /// # Errors
    /// There is no room for the series that are declared.
    pub(crate) fn apply(
        &self,
        registry: &mut Registry,
        ids: &[MetricId],
    ) -> Result<(), RegistryError> {
        registry.set_limits(self.limits);
        registry.keep_exemplars(self.exemplars.as_deref());
        for (id, levels) in ids.iter().zip(&self.declared) {
            for values in combinations(levels) {
                registry.declare(*id, &values)?;
            }
        }
        Ok(())
    }
}

/// One value of each level, in all ways; nothing of no level.
///
/// Made one at a time: a few lines of configuration can ask for more than any
/// memory holds, and whoever takes them stops where there is no room.
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
            one.push(
                values
                    .get(rest % values.len())
                    .map_or(&[][..], Vec::as_slice),
            );
            rest /= values.len();
        }
        one.reverse();
        one
    })
}

impl Plan {
    /// After how much time without an event a series is to be
    /// [dropped](Engine::drop_idle); `None`: never.
    #[must_use]
    pub const fn idle_series(&self) -> Option<Duration> {
        self.series.idle
    }
}

impl Engine {
    /// [Drops](Self::drop_idle) the series that have been idle for as long as
    /// the configuration says, if it does. Call it a few times in that time;
    /// `now` is the time since some moment that stays the same.
    pub fn tidy(&mut self, now: Duration) -> usize {
        let idle = self.plan().idle_series();
        idle.map_or(0, |idle| self.drop_idle(now, idle))
    }
}

#[cfg(test)]
mod tests {
    use super::combinations;

    #[test]
    fn all_combinations() {
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
