//! Encoding metrics as bytes.

use fantail_event::Dialect;

use crate::{
    Label, Method, MetricSettings, MetricSnapshot, Modifier, Series, Snapshot, Top,
    encoding::Encoder,
};

pub(super) fn metrics(
    snapshot: &Snapshot,
    with_top: bool,
    note: &mut dyn FnMut(&MetricSettings) -> Vec<u8>,
    out: &mut Encoder,
) {
    out.number(match snapshot.dialect() {
        Dialect::V2_3 => 3,
        Dialect::V2_4 => 4,
    });
    out.number(snapshot.metrics().len() as u64);
    for metric in snapshot.metrics() {
        settings(metric.settings(), out);
        out.string(&note(metric.settings()));
        self::metric(metric, out);
        if with_top {
            top(metric, out);
        }
    }
}

fn settings(settings: &MetricSettings, out: &mut Encoder) {
    out.string(&settings.name);
    out.string(&settings.description);
    counting(settings, out);
}

/// Writes the settings that decide what is counted.
pub(super) fn counting(settings: &MetricSettings, out: &mut Encoder) {
    out.number(settings.fields.len() as u64);
    settings.fields.iter().for_each(|field| out.string(field));
    out.number(settings.group_by.len() as u64);
    for level in &settings.group_by {
        out.string(&level.field);
        match &level.method {
            Method::Discrete(modifiers) => {
                out.numbers(&[0, modifiers.len() as u64]);
                modifiers.iter().for_each(|m| out.number(modifier(*m)));
            }
            Method::Exponential(e) => out.numbers(&[
                1,
                e.min_magnitude().into(),
                e.max_magnitude().into(),
                e.base().into(),
            ]),
            Method::Linear(l) => out.numbers(&[2, l.min(), l.max(), l.step()]),
        }
    }
}

/// Writes whether the metric has heavy hitters, and their settings and values.
fn top(metric: &MetricSnapshot, out: &mut Encoder) {
    let both = metric.settings().top.as_ref().zip(metric.top());
    out.number(both.is_some().into());
    if let Some((top, values)) = both {
        top_settings(top, out);
        values.save(out);
    }
}

pub(super) fn top_settings(top: &Top, out: &mut Encoder) {
    out.string(top.field());
    out.number(top.modifiers().len() as u64);
    top.modifiers()
        .iter()
        .for_each(|m| out.number(modifier(*m)));
    out.number(top.weight().is_some().into());
    out.string(top.weight().unwrap_or_default());
    out.numbers(&[top.shown().into(), top.counters().into()]);
}

const fn modifier(modifier: Modifier) -> u64 {
    match modifier {
        Modifier::Domain => 0,
        Modifier::Username => 1,
        Modifier::Lower => 2,
        Modifier::Upper => 3,
    }
}

fn metric(metric: &MetricSnapshot, out: &mut Encoder) {
    out.numbers(&[metric.overflowed(), metric.dropped()]);
    out.number(metric.series().len() as u64);
    for series in metric.series().iter() {
        out.number(series.depth() as u64);
        match series.label() {
            Label::Value(value) => {
                out.number(0);
                out.string(value);
            }
            Label::Bucket(bucket) => out.numbers(&[1, bucket.into()]),
            Label::Other => out.number(2),
            Label::Missing => out.number(3),
        }
        numbers(&series, out);
    }
}

fn numbers(series: &Series<'_>, out: &mut Encoder) {
    if let Some(sum) = series.own_sum() {
        out.fixed(&sum.to_le_bytes());
    }
    for distribution in series.distributions() {
        distribution.save(out);
    }
}
