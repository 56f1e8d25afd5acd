//! Events with one series at each level: no lists and no buckets.
//!
//! Nearly all events are of this kind, and need no buffers.

use fantail_event::{Dialect, ValueRef};

use crate::{
    Limits,
    label::text_key,
    registry::known_paths::MAX_PATH_SERIES,
    registry::metric_view::MetricView,
    registry::tree::{ROOT, SeriesBudget, Tree},
    settings::{GroupBy, Method, MetricSettings},
    store::key::Key,
};

/// Finds or creates the series of an event that has a text, an integer or no value at each
/// level; returns `None` for other events. Returns the length of the path, and
/// the number of its series that are an `other`. Series created before a `None`
/// stay: the general route needs them too.
#[inline]
pub(super) fn single_path<V: MetricView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &V,
    dialect: Dialect,
    (limits, used): (&Limits, &mut usize),
    path: &mut [u32; MAX_PATH_SERIES],
) -> Option<(usize, u64)> {
    let (mut parent, mut overflowed) = (ROOT, 0);
    for (at, level) in settings.group_by.iter().enumerate() {
        let mut digits = itoa::Buffer::new();
        let key = key(level, event.level(at), dialect, &mut digits)?;
        let mut budget = SeriesBudget {
            metric: limits.series_per_metric,
            used,
            all: limits.series,
        };
        // Less than `MAX_PATH_SERIES`.
        let depth = u32::try_from(at).unwrap_or(u32::MAX);
        let (child, other) = tree.child(parent, depth, key, &mut budget);
        overflowed += u64::from(other);
        parent = child;
        *path.get_mut(at + 1)? = parent;
        // A series without a value has no children.
        if key == Key::Missing {
            return Some((at + 2, overflowed));
        }
    }
    Some((1 + settings.group_by.len(), overflowed))
}

/// Returns whether the event has these series and creates none.
pub(super) fn leads_to<V: MetricView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &V,
    dialect: Dialect,
    path: &[u32],
) -> bool {
    let mut steps = path.windows(2).zip(&settings.group_by).enumerate();
    let is_there = steps.all(|(at, (step, level))| {
        let mut digits = itoa::Buffer::new();
        match (step, key(level, event.level(at), dialect, &mut digits)) {
            ([parent, child], Some(key)) => tree.is(*child, *parent, key),
            _ => false,
        }
    });
    let is_missing = path
        .last()
        .is_some_and(|last| tree.key(*last) == Some(Key::Missing));
    is_there && path.first() == Some(&ROOT) && (is_missing || path.len() == 1 + tree.levels())
}

/// Returns the key of the series of a value; `None` for values that are neither a text
/// nor an integer. The digits of an integer are written to the buffer.
#[inline]
fn key<'v>(
    level: &GroupBy,
    value: Option<ValueRef<'v>>,
    dialect: Dialect,
    digits: &'v mut itoa::Buffer,
) -> Option<Key<'v>> {
    let Method::Discrete(modifiers) = &level.method else {
        return None;
    };
    // As `write_key` does.
    let number = match (value, dialect) {
        (Some(ValueRef::Str(text)), _) => return Some(Key::Text(text_key(text, modifiers)?)),
        (None, Dialect::V2_4) => return Some(Key::Text(b"")),
        (None, Dialect::V2_3) => return Some(Key::Missing),
        (Some(ValueRef::Int(number)), _) => number.cast_unsigned(),
        (Some(ValueRef::Unsigned(number)), _) => number,
        (Some(_), _) => return None,
    };
    Some(Key::Text(digits.format(number).as_bytes()))
}
