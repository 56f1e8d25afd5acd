//! The identity of a metric's definition.

use std::fmt;

use fantail_event::Dialect;
use fantail_metrics::{
    MetricSettings,
    internal::{Encoder, hash, settings_bytes},
};

/// The version of the bins into which a distribution sorts more than 480 values.
const BINS_VERSION: u64 = 1;

/// A hash of what a metric counts: its dialect, name, filter, fields and levels, and the
/// bins of its distributions. The description is no part of it.
///
/// Only counts of equal schemas are added: during a change of the configuration, hosts
/// have different definitions under one name.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_fleet::SchemaId;
/// use fantail_metrics::MetricSettings;
///
/// let settings = MetricSettings { name: b"logins".to_vec(), ..MetricSettings::default() };
/// let id = |filter: &[u8]| SchemaId::of(Dialect::V2_4, &settings, filter);
/// assert_eq!(id(b"event=login"), id(b"event=login"));
/// assert_ne!(id(b"event=login"), id(b"event=logout"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaId(u128);

impl SchemaId {
    /// Returns the schema of a metric with this filter, as the host prints it.
    #[must_use]
    pub fn of(dialect: Dialect, settings: &MetricSettings, filter: &[u8]) -> Self {
        let mut out = Encoder::default();
        out.numbers(&[BINS_VERSION, u64::from(dialect == Dialect::V2_4)]);
        out.string(&settings.name);
        out.string(filter);
        out.string(&settings_bytes(settings));
        Self(hash(&out.bytes))
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SchemaId({self})")
    }
}

#[cfg(test)]
mod tests {
    use fantail_event::Dialect;
    use fantail_metrics::{GroupBy, Method, MetricSettings, Modifier};

    use super::SchemaId;

    #[test]
    fn only_what_is_counted_makes_a_schema() {
        let settings = MetricSettings {
            name: b"logins".to_vec(),
            group_by: vec![GroupBy::new("user", Method::Discrete(Vec::new()))],
            ..MetricSettings::default()
        };
        let id = SchemaId::of(Dialect::V2_4, &settings, b"event=a");
        let described = MetricSettings {
            description: b"Logins".to_vec(),
            ..settings.clone()
        };
        assert_eq!(SchemaId::of(Dialect::V2_4, &described, b"event=a"), id);
        let lower = Method::Discrete(vec![Modifier::Lower]);
        let others = [
            (Dialect::V2_3, settings.clone(), "event=a"),
            (Dialect::V2_4, settings.clone(), "event=b"),
            (
                Dialect::V2_4,
                MetricSettings {
                    name: b"login".to_vec(),
                    ..settings.clone()
                },
                "event=a",
            ),
            (
                Dialect::V2_4,
                MetricSettings {
                    fields: vec![b"bytes".to_vec()],
                    ..settings.clone()
                },
                "event=a",
            ),
            (
                Dialect::V2_4,
                MetricSettings {
                    group_by: vec![GroupBy::new("user", lower)],
                    ..settings
                },
                "event=a",
            ),
        ];
        for (dialect, settings, filter) in others {
            let other = SchemaId::of(dialect, &settings, filter.as_bytes());
            assert_ne!(other, id, "{settings:?} {filter}");
        }
    }
}
