//! Decoding metrics from bytes.
//!
//! Decoding checks all guarantees of a snapshot, so that the result can be
//! merged, dumped and exposed like any other: names are present and unique;
//! each series is below one of the previous level, and has a label of its
//! level's kind that no sibling has.

use std::{collections::HashSet, sync::Arc};

use fantail_event::Dialect;

use super::{State, StateErrorKind};
use crate::{
    Distribution, Exponential, GroupBy, HeavyHitters, Label, Linear, Method, MetricSettings,
    MetricSnapshot, Modifier, SeriesList, Top,
    encoding::Decoder,
    label::{LONG_KEY_BYTES, MAX_VALUE_BYTES},
    snapshot::{merge::Builder, order},
};

type Result<T> = std::result::Result<T, StateErrorKind>;

const MALFORMED: StateErrorKind = StateErrorKind::Malformed;

pub(super) fn state(from: &mut Decoder<'_>, with_top: bool) -> Result<State> {
    let dialect = match from.number()? {
        3 => Dialect::V2_3,
        4 => Dialect::V2_4,
        _ => return Err(MALFORMED),
    };
    let mut names = HashSet::new();
    let mut metrics = Vec::new();
    for _ in 0..from.number()? {
        let settings = settings(from)?;
        if !names.insert(settings.name.clone()) {
            return Err(MALFORMED);
        }
        let note = from.string()?.to_vec();
        metrics.push((metric(settings, with_top, from)?, note));
    }
    Ok(State { dialect, metrics })
}

fn settings(from: &mut Decoder<'_>) -> Result<MetricSettings> {
    let mut settings = MetricSettings {
        name: from.string()?.to_vec(),
        description: from.string()?.to_vec(),
        ..MetricSettings::default()
    };
    for _ in 0..from.number()? {
        settings.fields.push(from.string()?.to_vec());
    }
    for _ in 0..from.number()? {
        settings.group_by.push(GroupBy {
            field: from.string()?.to_vec(),
            method: method(from)?,
        });
    }
    settings.check().map_err(|_| MALFORMED)?;
    Ok(settings)
}

fn method(from: &mut Decoder<'_>) -> Result<Method> {
    match from.number()? {
        0 => modifiers(from).map(Method::Discrete),
        1 => {
            let [min, max, base] = from.numbers()?;
            let small = |number| u32::try_from(number).map_err(|_| MALFORMED);
            let exponential = Exponential::new(small(min)?, small(max)?, small(base)?);
            exponential.map(Method::Exponential).map_err(|_| MALFORMED)
        }
        2 => {
            let [min, max, step] = from.numbers()?;
            let linear = Linear::new(min, max, step);
            linear.map(Method::Linear).map_err(|_| MALFORMED)
        }
        _ => Err(MALFORMED),
    }
}

fn modifiers(from: &mut Decoder<'_>) -> Result<Vec<Modifier>> {
    let mut modifiers = Vec::new();
    for _ in 0..from.number()? {
        modifiers.push(match from.number()? {
            0 => Modifier::Domain,
            1 => Modifier::Username,
            2 => Modifier::Lower,
            3 => Modifier::Upper,
            _ => return Err(MALFORMED),
        });
    }
    Ok(modifiers)
}

fn metric(
    mut settings: MetricSettings,
    with_top: bool,
    from: &mut Decoder<'_>,
) -> Result<MetricSnapshot> {
    let [overflowed, dropped] = from.numbers()?;
    let mut builder = Builder::default();
    let mut depths = Vec::new();
    let mut path = PathCheck::default();
    for _ in 0..from.number()? {
        let depth = usize::try_from(from.number()?).map_err(|_| MALFORMED)?;
        path.enter(depth, &settings)?;
        let label = label(depth, &settings, from)?;
        path.missing = label == Label::Missing;
        numbers(label, &settings, from, &mut builder)?;
        // At most the number of levels.
        depths.push(u32::try_from(depth).map_err(|_| MALFORMED)?);
    }
    let segments = builder.finish();
    let places = (0..).zip(depths);
    let order: Vec<order::Position> = places
        .map(|(at, depth)| order::Position { at, depth })
        .collect();
    let series = SeriesList::new(&segments, &order);
    if series.is_empty() || !siblings_differ(series) {
        return Err(MALFORMED);
    }
    let top = if with_top { top(from)? } else { None };
    let (top, values) = top.unzip();
    settings.top = top;
    let settings = Arc::new(settings);
    let metric = MetricSnapshot::with_order(settings, segments, order, overflowed, dropped);
    Ok(metric.with_top(values.map(Arc::new)))
}

/// Decodes the settings and values of heavy hitters, if the metric has them.
fn top(from: &mut Decoder<'_>) -> Result<Option<(Top, HeavyHitters)>> {
    if !flag(from)? {
        return Ok(None);
    }
    let top = Top::new(from.string()?).modified(modifiers(from)?);
    let is_weighted = flag(from)?;
    let weight = from.string()?;
    let top = top.weighted(is_weighted.then(|| weight.to_vec()));
    let [shown, counters] = from.numbers()?;
    let small = |number| u32::try_from(number).map_err(|_| MALFORMED);
    let top = top.sized(small(shown)?, small(counters)?);
    let top = top.map_err(|_| MALFORMED)?;
    let values = HeavyHitters::load(&top, from)?;
    Ok(Some((top, values)))
}

fn flag(from: &mut Decoder<'_>) -> Result<bool> {
    match from.number()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MALFORMED),
    }
}

/// The depth of the last series, to check that of the next.
#[derive(Debug, Default)]
struct PathCheck {
    depth: Option<usize>,
    missing: bool,
}

impl PathCheck {
    /// Checks the depth of a series: only the first is the metric itself, no
    /// series is deeper than the levels, and series without a value have no
    /// children.
    fn enter(&mut self, depth: usize, settings: &MetricSettings) -> Result<()> {
        let right = match self.depth {
            None => depth == 0,
            Some(before) => {
                let deepest = before + usize::from(!self.missing);
                (1..=deepest.min(settings.group_by.len())).contains(&depth)
            }
        };
        self.depth = Some(depth);
        right.then_some(()).ok_or(MALFORMED)
    }
}

fn label<'a>(depth: usize, settings: &MetricSettings, from: &mut Decoder<'a>) -> Result<Label<'a>> {
    let level = depth
        .checked_sub(1)
        .and_then(|at| settings.group_by.get(at));
    let buckets = level.and_then(|level| level.method.buckets());
    Ok(match (from.number()?, level, buckets) {
        (0, _, None) => {
            let value = from.string()?;
            let fits = match level {
                None => value.is_empty(),
                Some(_) => value.len() <= MAX_VALUE_BYTES || LONG_KEY_BYTES.contains(&value.len()),
            };
            Label::Value(fits.then_some(value).ok_or(MALFORMED)?)
        }
        (1, _, Some(buckets)) => {
            let bucket = u32::try_from(from.number()?).map_err(|_| MALFORMED)?;
            let known = bucket < buckets.count();
            Label::Bucket(known.then_some(bucket).ok_or(MALFORMED)?)
        }
        (2, _, Some(_)) => Label::Other,
        (3, Some(_), _) => Label::Missing,
        _ => return Err(MALFORMED),
    })
}

fn numbers(
    label: Label<'_>,
    settings: &MetricSettings,
    from: &mut Decoder<'_>,
    into: &mut Builder,
) -> Result<()> {
    let own_sum = if settings.has_own_sums() {
        let bytes = <[u8; 16]>::try_from(from.fixed(16)?).map_err(|_| MALFORMED)?;
        Some(i128::from_le_bytes(bytes))
    } else {
        None
    };
    from.spend(1 + settings.fields.len())?;
    let mut distributions = Vec::new();
    for _ in 0..=settings.fields.len() {
        distributions.push(Distribution::load(from)?);
    }
    into.push(label, distributions.into_iter(), own_sum);
    Ok(())
}

fn siblings_differ(series: SeriesList<'_>) -> bool {
    let mut seen = HashSet::with_capacity(series.len());
    let mut path: Vec<usize> = Vec::new();
    series.iter().enumerate().all(|(at, series)| {
        path.truncate(series.depth());
        let parent = path.last().copied();
        path.push(at);
        seen.insert((parent, series.label()))
    })
}
