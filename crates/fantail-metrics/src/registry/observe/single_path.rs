//! Events with one series at each level: no lists and no buckets.
//!
//! Nearly all events are of this kind, and need no buffers.

use fantail_event::{Dialect, ValueRef};

use crate::{
    Limits,
    label::text_key,
    registry::metric_view::MetricView,
    registry::tree::{ROOT, SeriesBudget, Tree},
    settings::{Method, MetricSettings},
    store::key::Key,
};

/// The maximum number of series of a path on the stack.
pub(super) const MAX_PATH_SERIES: usize = 6;

/// Finds or creates the series of an event that has a text or no value at each
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
        let Method::Discrete(modifiers) = &level.method else {
            return None;
        };
        let key = match (event.level(at), dialect) {
            (Some(ValueRef::Str(text)), _) => Key::Text(text_key(text, modifiers)?),
            (None, Dialect::V2_4) => Key::Text(b""),
            (None, Dialect::V2_3) => Key::Missing,
            (Some(_), _) => return None,
        };
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
