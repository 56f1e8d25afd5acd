//! Series that exist before their first event.
//!
//! A scrape sees a counter that appears with its first event at 1, never at 0,
//! so it has no increase. If the values are known in advance (`OK`, `NO`,
//! `BAD`), their series can start at zero.

use crate::{
    Limits, RegistryErrorKind,
    label::write_text_key,
    registry::tree::{ROOT, SeriesBudget, Tree},
    settings::{Method, MetricSettings},
    store::key::Key,
};

/// Creates the series with these values, one for each discrete level, and their
/// parents. A quantized level gets all its buckets.
pub(crate) fn declare(
    tree: &mut Tree,
    settings: &MetricSettings,
    values: &[&[u8]],
    limits: &Limits,
    used: &mut usize,
) -> Result<(), RegistryErrorKind> {
    let discrete = |level: &&crate::GroupBy| level.method.buckets().is_none();
    if settings.group_by.iter().filter(discrete).count() != values.len() {
        return Err(RegistryErrorKind::WrongLabels);
    }
    let mut budget = SeriesBudget {
        metric: limits.series_per_metric,
        used,
        all: limits.series,
    };
    let mut above = vec![ROOT];
    let mut values = values.iter();
    for (depth, level) in (0..).zip(&settings.group_by) {
        let mut found = Vec::new();
        let mut text = Vec::new();
        let buckets = level.method.buckets();
        if let Method::Discrete(modifiers) = &level.method {
            let value = values.next().copied().unwrap_or_default();
            write_text_key(value, modifiers, &mut text);
        }
        for &parent in &above {
            let mut make = |key| {
                let child = tree.declare(parent, depth, key, &mut budget);
                found.push(child.ok_or(RegistryErrorKind::NoRoom)?);
                Ok(())
            };
            match buckets {
                None => make(Key::Text(&text))?,
                Some(buckets) => (0..buckets.count()).try_for_each(|b| make(Key::Bucket(b)))?,
            }
        }
        above = found;
    }
    Ok(())
}
