//! Counting one event in one metric.
//!
//! The duration and the fields are looked up once, and added to the metric
//! itself and, level by level, to each matching sub-metric. Only new series and
//! exemplars allocate once the buffers have grown.

mod single_path;
mod texts;

use fantail_event::{Dialect, ValueRef};

use self::{single_path::single_path, texts::Texts};
use crate::{
    Exemplar, Limits,
    label::{text_key, write_key, write_text_key},
    registry::known_paths::{KnownPaths, MAX_PATH_SERIES},
    registry::metric_view::MetricView,
    registry::tree::{ROOT, SeriesBudget, Tree},
    settings::{GroupBy, Method, MetricSettings, Modifier},
    store::key::Key,
};

/// Buffers that are reused for each event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    /// The duration of the event, once it is known.
    duration: Option<u64>,
    /// The values of the fields.
    numbers: Vec<Option<u64>>,
    /// The hash of the fields whose values the buffer holds.
    fields: Option<u64>,
    /// The paths of this event in the trees of the metrics before.
    known_paths: KnownPaths,
    /// The series from the metric down, while each level has one series.
    path: Vec<u32>,
    /// The series of the level above, and those found in this level.
    above: Vec<u32>,
    found: Vec<u32>,
    elements: Texts,
    keys: Texts,
    /// The series without children that lists led to.
    ends: Vec<u32>,
    /// The exemplar of this event; without a value if none is kept.
    pub(crate) exemplar: Exemplar,
}

impl Scratch {
    /// Prepares the buffers for the next event.
    #[inline]
    pub(crate) const fn begin(&mut self) {
        self.duration = None;
        self.fields = None;
        self.known_paths.clear();
    }

    /// Returns the path of the event if the tree equals that of a metric before.
    #[inline]
    pub(crate) fn known_path(&self, tree: &Tree) -> Option<&[u32]> {
        self.known_paths.find(tree.fingerprint())
    }

    /// Reads the values of a metric's fields, unless the metric before has the same
    /// fields. Returns the duration.
    #[inline]
    fn read<V: MetricView + ?Sized>(&mut self, tree: &Tree, event: &V) -> u64 {
        let (count, fields) = tree.fields();
        if self.fields != Some(fields) {
            self.numbers.clear();
            self.numbers
                .extend((0..count).map(|at| event.field(at).map(number)));
            self.fields = Some(fields);
        }
        // Dovecot's server gives each event a duration; an event without one is
        // counted with 0.
        let duration = self.duration;
        let duration = duration.unwrap_or_else(|| event.duration().map_or(0, number));
        self.duration = Some(duration);
        duration
    }

    /// Writes the keys of a value's series to the buffer, and returns them.
    pub(crate) fn keys_of(
        &mut self,
        value: ValueRef<'_>,
        modifiers: &[Modifier],
    ) -> impl Iterator<Item = &[u8]> {
        self.keys.clear();
        if let ValueRef::List(list) = value {
            self.elements.clear();
            list.for_each(|element| {
                self.elements.bytes.extend_from_slice(element);
                self.elements.end();
            });
            // As in Dovecot, elements are sorted by their bytes, and duplicates
            // removed before the modifiers: two users of one domain count twice for
            // it.
            self.elements.sort_and_dedup();
            for element in self.elements.iter() {
                write_text_key(element, modifiers, &mut self.keys.bytes);
                self.keys.end();
            }
        } else if write_key(value, modifiers, &mut self.keys.bytes) {
            self.keys.end();
        }
        self.keys.iter()
    }
}

/// The sub-metrics of one level that an event's value chooses.
enum Choice<'a> {
    /// No value.
    Missing,
    /// One sub-metric with this key.
    Text(&'a [u8]),
    /// The sub-metrics whose keys are in the buffer.
    Keys,
    Bucket(u32, i64),
}

/// Counts `event` in the metric; returns the number of its updates that went to
/// an `other` or were omitted.
pub(crate) fn observe<V: MetricView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &V,
    dialect: Dialect,
    limits: &Limits,
    used: &mut usize,
    scratch: &mut Scratch,
) -> u64 {
    let duration = scratch.read(tree, event);
    if !scratch.exemplar.is_none() {
        return observe_any(tree, settings, event, dialect, limits, used, scratch);
    }
    if tree.levels() == 0 {
        tree.record(ROOT, duration, &scratch.numbers);
        return 0;
    }
    let mut path = [ROOT; MAX_PATH_SERIES];
    if tree.levels() < limits.updates_per_event.min(MAX_PATH_SERIES) {
        if let Some(path) = scratch.known_path(tree) {
            debug_assert!(
                single_path::leads_to(tree, settings, event, dialect, path),
                "two trees have the same fingerprint and other series"
            );
            tree.record_all(path, duration, &scratch.numbers);
            return 0;
        }
        let found = single_path(tree, settings, event, dialect, (limits, used), &mut path);
        if let Some((len, overflowed)) = found
            && let Some(path) = path.get(..len)
        {
            if overflowed == 0 {
                scratch.known_paths.add(tree.fingerprint(), path);
            }
            tree.record_all(path, duration, &scratch.numbers);
            return overflowed;
        }
    }
    observe_any(tree, settings, event, dialect, limits, used, scratch)
}

/// Counts an event with any kinds of values; `scratch` already has its numbers.
fn observe_any<V: MetricView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &V,
    dialect: Dialect,
    limits: &Limits,
    used: &mut usize,
    scratch: &mut Scratch,
) -> u64 {
    let mut descent = Descent {
        tree,
        duration: scratch.duration.unwrap_or_default(),
        limits,
        used,
        updates_left: limits.updates_per_event,
        overflowed: 0,
    };
    let mut levels = (0..).zip(&settings.group_by);
    let mut parent = ROOT;
    scratch.ends.clear();
    scratch.path.clear();
    scratch.path.push(parent);
    // One series a level, until a list comes.
    for (depth, level) in levels.by_ref() {
        let choice = choose(event, depth as usize, level, dialect, scratch);
        let key = match choice {
            Choice::Missing => Key::Missing,
            Choice::Text(text) => Key::Text(text),
            Choice::Bucket(bucket, _) => Key::Bucket(bucket),
            Choice::Keys => {
                descent.spread(parent, depth, scratch);
                for (depth, level) in levels {
                    let choice = choose(event, depth as usize, level, dialect, scratch);
                    descent.all(depth, &choice, scratch);
                }
                scratch.ends.append(&mut scratch.above);
                break;
            }
        };
        if descent.grant(1) == 0 {
            break;
        }
        parent = descent.child(parent, depth, key);
        scratch.path.push(parent);
        match choice {
            // A series without a value has no children.
            Choice::Missing => break,
            Choice::Bucket(_, value) => descent.tree.record_own(parent, value),
            Choice::Text(_) | Choice::Keys => {}
        }
    }
    let Descent {
        tree,
        duration,
        overflowed,
        ..
    } = descent;
    tree.record_all(&scratch.path, duration, &scratch.numbers);
    if !scratch.exemplar.is_none() {
        exemplify(tree, settings, event, scratch);
    }
    overflowed
}

/// Stores the event as the exemplar of its series without children.
#[cold]
fn exemplify<V: MetricView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &V,
    scratch: &mut Scratch,
) {
    let exemplar = &mut scratch.exemplar;
    exemplar.duration = event.duration().map_or(0, number);
    let last = settings.group_by.len().checked_sub(1);
    exemplar.own = match last.and_then(|last| event.level(last)) {
        Some(ValueRef::Int(number)) => Some(number),
        _ => None,
    };
    let end = scratch.path.last().filter(|_| tree.is_whole(&scratch.path));
    for series in scratch.ends.iter().chain(end) {
        tree.exemplify(*series, exemplar);
    }
}

/// The walk of an event down a tree.
struct Descent<'a> {
    tree: &'a mut Tree,
    duration: u64,
    limits: &'a Limits,
    used: &'a mut usize,
    updates_left: usize,
    overflowed: u64,
}

impl Descent<'_> {
    /// Returns the number of permitted updates; the others count as overflowed.
    fn grant(&mut self, wanted: usize) -> usize {
        let granted = wanted.min(self.updates_left);
        self.updates_left -= granted;
        self.overflowed += (wanted - granted) as u64;
        granted
    }

    #[inline]
    fn child(&mut self, parent: u32, depth: u32, key: Key<'_>) -> u32 {
        let mut budget = SeriesBudget {
            metric: self.limits.series_per_metric,
            used: self.used,
            all: self.limits.series,
        };
        let (child, other) = self.tree.child(parent, depth, key, &mut budget);
        self.overflowed += u64::from(other);
        child
    }

    /// Updates the series of a list below one series.
    fn spread(&mut self, parent: u32, depth: u32, scratch: &mut Scratch) {
        scratch.above.clear();
        scratch.above.push(parent);
        self.all(depth, &Choice::Keys, scratch);
    }

    /// Updates the series of this level below all series of the level above.
    fn all(&mut self, depth: u32, choice: &Choice<'_>, scratch: &mut Scratch) {
        let wanted = match choice {
            Choice::Missing | Choice::Text(_) | Choice::Bucket(..) => 1,
            Choice::Keys => scratch.keys.ranges.len(),
        };
        let Scratch {
            numbers,
            above,
            found,
            keys,
            ends,
            ..
        } = scratch;
        found.clear();
        for &parent in &*above {
            let granted = self.grant(wanted);
            let mut update = |key| {
                let child = self.child(parent, depth, key);
                self.tree.record(child, self.duration, numbers);
                child
            };
            match *choice {
                _ if granted == 0 => {}
                // A series without a value has no children.
                Choice::Missing => ends.push(update(Key::Missing)),
                Choice::Text(text) => found.push(update(Key::Text(text))),
                Choice::Keys => {
                    let keys = keys.iter().take(granted);
                    found.extend(keys.map(|key| update(Key::Text(key))));
                }
                Choice::Bucket(bucket, value) => {
                    let child = update(Key::Bucket(bucket));
                    self.tree.record_own(child, value);
                    found.push(child);
                }
            }
        }
        std::mem::swap(above, found);
    }
}

/// Returns the number that a distribution counts for a value.
const fn number(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Int(number) => number.cast_unsigned(),
        ValueRef::Time(time) => time.unix_micros().cast_unsigned(),
        // Only the count of these values has a meaning.
        ValueRef::Str(_) | ValueRef::Bool(_) | ValueRef::Ip(_) | ValueRef::List(_) => 0,
        ValueRef::Unsigned(number) => number,
        // The cast saturates at 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        ValueRef::Float(number) => number as u64,
    }
}

#[inline]
fn choose<'a, V: MetricView + ?Sized>(
    event: &'a V,
    depth: usize,
    level: &GroupBy,
    dialect: Dialect,
    scratch: &mut Scratch,
) -> Choice<'a> {
    let value = match (event.level(depth), dialect) {
        (Some(value), _) => value,
        // 2.3 has no sub-metric for events without the field.
        (None, Dialect::V2_3) => return Choice::Missing,
        (None, Dialect::V2_4) => ValueRef::Str(b""),
    };
    // The usual case.
    if let ValueRef::Str(text) = value
        && let Method::Discrete(modifiers) = &level.method
        && let Some(key) = text_key(text, modifiers)
    {
        return Choice::Text(key);
    }
    choose_by(value, level, scratch)
}

/// Chooses for values that are not a text, or whose key has to be written.
fn choose_by(value: ValueRef<'_>, level: &GroupBy, scratch: &mut Scratch) -> Choice<'static> {
    if let Some(buckets) = level.method.buckets() {
        return match value {
            ValueRef::Int(number) => Choice::Bucket(buckets.bucket(number), number),
            ValueRef::Unsigned(_) => Choice::Bucket(buckets.bucket(i64::MAX), i64::MAX),
            ValueRef::Float(number) if !number.is_nan() => {
                // The upper bound of a bucket is inclusive.
                #[allow(clippy::cast_possible_truncation, reason = "held at the ends")]
                let number = number.ceil() as i64;
                Choice::Bucket(buckets.bucket(number), number)
            }
            _ => Choice::Missing,
        };
    }
    let Method::Discrete(modifiers) = &level.method else {
        return Choice::Missing;
    };
    match scratch.keys_of(value, modifiers).next() {
        None => Choice::Missing,
        Some(_) => Choice::Keys,
    }
}
