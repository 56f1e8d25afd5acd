//! The way that nearly all events take down a tree: no lists, no buckets, and
//! no buffers for either.

use fantail_event::{Dialect, ValueRef};

use crate::{
    Limits,
    label::text_key,
    metric_view::MetricView,
    registry::tree::{ROOT, SeriesBudget, Tree},
    settings::{Method, MetricSettings},
    store::key::Key,
};

/// So many series are updated without a buffer for their numbers.
pub(super) const MAX_PATH_SERIES: usize = 6;

/// The way of an event down a tree, if it is the usual one: a text or nothing
/// at each level. Gives how many series they are, and how many of them are an
/// `other`. What is new on the way is made, and is there if another way has to
/// be taken after all.
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
        // Nothing is below it.
        if key == Key::Missing {
            return Some((at + 2, overflowed));
        }
    }
    Some((1 + settings.group_by.len(), overflowed))
}
