//! What one event does to one metric.
//!
//! Its duration and fields are looked up once; then the metric itself and,
//! level by level, each of its sub-metrics that the event belongs to take
//! them. Nothing here allocates once the buffers have grown, but for new
//! series.

use fantail_event::{Dialect, EventView, ValueRef};

use crate::{
    Exemplar, Limits,
    label::{write_key, write_text_key},
    settings::{GroupBy, Method, MetricSettings},
    tree::{Key, ROOT, Room, Tree},
};

/// Buffers that outlive an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    /// The duration and the fields.
    numbers: Vec<Option<u64>>,
    /// The series of the level above, and those found in this one.
    above: Vec<u32>,
    found: Vec<u32>,
    elements: Texts,
    keys: Texts,
    /// What is kept of this event, if anything.
    pub(crate) exemplar: Option<Exemplar>,
}

/// Texts one after another.
#[derive(Debug, Clone, Default)]
struct Texts {
    bytes: Vec<u8>,
    ranges: Vec<(usize, usize)>,
}

impl Texts {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    /// Adds what was written to `bytes` since the last text.
    fn end(&mut self) {
        let start = self.ranges.last().map_or(0, |(_, end)| *end);
        self.ranges.push((start, self.bytes.len()));
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let text = |&(start, end): &(usize, usize)| self.bytes.get(start..end);
        self.ranges
            .iter()
            .map(move |range| text(range).unwrap_or_default())
    }

    fn sort_and_dedup(&mut self) {
        let Self { bytes, ranges } = self;
        let text = |&(start, end): &(usize, usize)| bytes.get(start..end);
        ranges.sort_unstable_by(|a, b| text(a).cmp(&text(b)));
        ranges.dedup_by(|a, b| text(a) == text(b));
    }
}

/// How the value of an event chooses sub-metrics of one level.
enum Choice {
    /// It has none.
    Missing,
    /// Those whose keys are in the buffer.
    Keys,
    Bucket(u32, i64),
}

impl Choice {
    /// The value that was put into a bucket.
    const fn own(&self) -> Option<i64> {
        match self {
            Self::Bucket(_, value) => Some(*value),
            Self::Missing | Self::Keys => None,
        }
    }
}

/// Counts `event` in the metric; returns how many of its updates went to an
/// `other` or were left out.
pub(crate) fn observe<E: EventView + ?Sized>(
    tree: &mut Tree,
    settings: &MetricSettings,
    event: &E,
    dialect: Dialect,
    limits: &Limits,
    used: &mut usize,
    scratch: &mut Scratch,
) -> u64 {
    scratch.numbers.clear();
    // Dovecot's server gives each event a duration; where there is none, the
    // event counts all the same.
    let duration = find(event, b"duration").map_or(0, number);
    scratch.numbers.push(Some(duration));
    let fields = settings.fields.iter();
    let numbers = fields.map(|field| find(event, field).map(number));
    scratch.numbers.extend(numbers);

    tree.record(ROOT, &scratch.numbers);
    scratch.above.clear();
    scratch.above.push(ROOT);
    let mut left = limits.updates_per_event;
    let mut overflowed = 0;
    let mut own = None;
    for (depth, level) in (0..).zip(&settings.group_by) {
        let choice = choose(event, level, dialect, scratch);
        let wanted = match choice {
            Choice::Missing | Choice::Bucket(..) => 1,
            Choice::Keys => scratch.keys.ranges.len(),
        };
        scratch.found.clear();
        for &parent in &scratch.above {
            let granted = wanted.min(left);
            left -= granted;
            overflowed += (wanted - granted) as u64;
            let mut room = Room {
                metric: limits.series_per_metric,
                used,
                all: limits.series,
            };
            let mut update = |tree: &mut Tree, key| {
                let (child, other) = tree.child(parent, depth, key, &mut room);
                overflowed += u64::from(other);
                tree.record(child, &scratch.numbers);
                child
            };
            match choice {
                _ if granted == 0 => {}
                // Nothing is below it.
                Choice::Missing => {
                    let child = update(tree, Key::Missing);
                    exemplify(tree, &[child], None, duration, &mut scratch.exemplar);
                }
                Choice::Keys => {
                    let keys = scratch.keys.iter().take(granted);
                    let children = keys.map(|key| update(tree, Key::Text(key)));
                    scratch.found.extend(children);
                }
                Choice::Bucket(bucket, value) => {
                    let child = update(tree, Key::Bucket(bucket));
                    tree.record_own(child, value);
                    scratch.found.push(child);
                }
            }
        }
        own = choice.own();
        std::mem::swap(&mut scratch.above, &mut scratch.found);
    }
    exemplify(tree, &scratch.above, own, duration, &mut scratch.exemplar);
    overflowed
}

/// Keeps the event as the exemplar of series with nothing below them.
#[inline]
fn exemplify(
    tree: &mut Tree,
    series: &[u32],
    own: Option<i64>,
    duration: u64,
    exemplar: &mut Option<Exemplar>,
) {
    if let Some(exemplar) = exemplar {
        exemplar.own = own;
        exemplar.duration = duration;
        series.iter().for_each(|at| tree.exemplify(*at, exemplar));
    }
}

/// A field, where `duration` is the event's own if it has one.
fn find<'a, E: EventView + ?Sized>(event: &'a E, key: &[u8]) -> Option<ValueRef<'a>> {
    if key == b"duration"
        && let Some(micros) = event.duration_micros()
    {
        // Sent before it was created: clocks jump, and Dovecot's server ends
        // there.
        return Some(ValueRef::Int(micros.max(0)));
    }
    event.field(key)
}

/// What a distribution takes of a value.
const fn number(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Int(number) => number.cast_unsigned(),
        ValueRef::Time(time) => time.unix_micros().cast_unsigned(),
        // Only the count means something.
        ValueRef::Str(_) | ValueRef::Ip(_) | ValueRef::List => 0,
    }
}

fn choose<E: EventView + ?Sized>(
    event: &E,
    level: &GroupBy,
    dialect: Dialect,
    scratch: &mut Scratch,
) -> Choice {
    let value = match (find(event, &level.field), dialect) {
        (Some(value), _) => value,
        // 2.3 knows no sub-metric of events without the field.
        (None, Dialect::V2_3) => return Choice::Missing,
        (None, Dialect::V2_4) => ValueRef::Str(b""),
    };
    if let Some(buckets) = level.method.buckets() {
        return match value {
            ValueRef::Int(number) => Choice::Bucket(buckets.bucket(number), number),
            _ => Choice::Missing,
        };
    }
    let Method::Discrete(modifiers) = &level.method else {
        return Choice::Missing;
    };
    scratch.keys.clear();
    if matches!(value, ValueRef::List) {
        scratch.elements.clear();
        event.any_element(&level.field, &mut |element| {
            scratch.elements.bytes.extend_from_slice(element);
            scratch.elements.end();
            false
        });
        // As in Dovecot: in the order of their bytes, and distinct before the
        // modifiers, so two users of one domain count twice for it.
        scratch.elements.sort_and_dedup();
        for element in scratch.elements.iter() {
            write_text_key(element, modifiers, &mut scratch.keys.bytes);
            scratch.keys.end();
        }
    } else if write_key(value, modifiers, &mut scratch.keys.bytes) {
        scratch.keys.end();
    }
    if scratch.keys.ranges.is_empty() {
        return Choice::Missing;
    }
    Choice::Keys
}
