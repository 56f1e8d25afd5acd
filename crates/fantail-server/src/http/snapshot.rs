//! `/api/v1/snapshot`: the counts of all metrics as JSON, written while they are
//! sent, whole or in pages.
//!
//! Bytes that are not UTF-8 are replaced, except in labels, where they are escaped
//! so that labels stay distinct.

use std::{borrow::Cow, cell::Cell, cmp::Reverse, collections::BinaryHeap, io};

use axum::{
    extract::{Query, State},
    http::{StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use fantail_metrics::{
    Distribution, GroupBy, Method, MetricSnapshot, Percentile, Series, Snapshot,
};
use serde::{
    Deserialize, Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq as _},
};

use super::{Context, busy, refused, streamed};

/// The query of a snapshot.
#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    /// Only the metric with this name.
    metric: Option<String>,
    /// The page that `next` of the page before names.
    after: Option<String>,
    /// Series of a page; all if missing.
    limit: Option<usize>,
    /// Only the series of each metric with the most events, with their parents.
    busiest: Option<usize>,
    /// Whether the series of a whole metric has its quantiles.
    #[serde(default)]
    quantiles: bool,
}

/// The most series that `busiest` selects.
const MAX_BUSIEST: usize = 10_000;

/// The steps of quantiles, in percent.
const QUANTILE_STEP: u8 = 5;

/// The position of a series: that of its metric, and its own in the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    metric: usize,
    series: usize,
}

impl Position {
    const START: Self = Self {
        metric: 0,
        series: 0,
    };

    fn parse(text: &str) -> Option<Self> {
        let (metric, series) = text.split_once('.')?;
        Some(Self {
            metric: metric.parse().ok()?,
            series: series.parse().ok()?,
        })
    }
}

pub(super) async fn answer(
    State(context): State<Context>,
    Query(parameters): Query<Parameters>,
    version: Version,
) -> Response {
    let start = match parameters.after.as_deref().map(Position::parse) {
        None => Position::START,
        Some(Some(start)) => start,
        Some(None) => {
            let why = "after: expected the `next` of another page, such as 0.1000\n";
            return (StatusCode::BAD_REQUEST, why).into_response();
        }
    };
    if parameters.busiest.is_some_and(|most| most > MAX_BUSIEST) {
        let why = format!("busiest: expected at most {MAX_BUSIEST}\n");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let held = match context.handle.held_report(false).await {
        Ok(held) => held,
        Err(error) => return refused(&error),
    };
    let made = streamed::answer(version, &context.handle.answers, move |out| {
        let page = Page {
            only: parameters.metric.as_deref(),
            start,
            left: Cell::new(parameters.limit.unwrap_or(usize::MAX)),
            busiest: parameters.busiest,
            has_quantiles: parameters.quantiles,
            next: Cell::new(None),
        };
        page.write(&held.snapshot, out)
    });
    match made.await {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => busy(),
    }
}

/// A page of a snapshot.
struct Page<'p> {
    only: Option<&'p str>,
    start: Position,
    /// Series that may still be written.
    left: Cell<usize>,
    busiest: Option<usize>,
    has_quantiles: bool,
    /// The name at which the next page starts.
    next: Cell<Option<Position>>,
}

impl Page<'_> {
    fn write(&self, snapshot: &Snapshot, out: &mut impl io::Write) -> io::Result<()> {
        let mut json = serde_json::Serializer::new(&mut *out);
        let mut map = json.serialize_map(None)?;
        let metrics = Metrics {
            snapshot,
            page: self,
        };
        map.serialize_entry("metrics", &metrics)?;
        if let Some(Position { metric, series }) = self.next.get() {
            map.serialize_entry("next", &format!("{metric}.{series}"))?;
        }
        SerializeMap::end(map)?;
        out.write_all(b"\n")
    }

    fn has(&self, metric: &MetricSnapshot) -> bool {
        self.only
            .is_none_or(|only| text(&metric.settings().name) == only)
    }
}

struct Metrics<'a> {
    snapshot: &'a Snapshot,
    page: &'a Page<'a>,
}

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let start = self.page.start;
        let mut list = serializer.serialize_seq(None)?;
        let metrics = self.snapshot.metrics().iter().enumerate();
        for (at, metric) in metrics.skip(start.metric) {
            if self.page.next.get().is_some() {
                break;
            }
            if !self.page.has(metric) {
                continue;
            }
            let first = if at == start.metric { start.series } else { 0 };
            if self.page.left.get() == 0 {
                let next = Position {
                    metric: at,
                    series: first,
                };
                self.page.next.set(Some(next));
                break;
            }
            list.serialize_element(&Metric {
                name: text(&metric.settings().name),
                overflowed: metric.overflowed(),
                dropped: metric.dropped(),
                top: top(metric),
                series: SeriesPage {
                    metric,
                    at,
                    first,
                    page: self.page,
                    only: self.page.busiest.map(|most| busiest(metric, most)),
                },
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct Metric<'a> {
    name: Cow<'a, str>,
    overflowed: u64,
    dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<Top<'a>>,
    series: SeriesPage<'a>,
}

/// The heavy hitters of a metric.
#[derive(Serialize)]
struct Top<'a> {
    field: Cow<'a, str>,
    weight: Option<Cow<'a, str>>,
    total: u64,
    others_at_most: u64,
    values: Vec<TopValue>,
}

#[derive(Serialize)]
struct TopValue {
    value: String,
    counted: u64,
    error: u64,
}

fn top(metric: &MetricSnapshot) -> Option<Top<'_>> {
    let (settings, all) = metric.settings().top.as_ref().zip(metric.top())?;
    let level = GroupBy::new(settings.field(), Method::Discrete(Vec::new()));
    let values = all.shown().into_iter().map(|one| TopValue {
        value: one.label.text(&level),
        counted: one.counted,
        error: one.error,
    });
    Some(Top {
        field: text(settings.field()),
        weight: settings.weight().map(text),
        total: all.total(),
        others_at_most: all.others_at_most(),
        values: values.collect(),
    })
}

struct SeriesPage<'a> {
    metric: &'a MetricSnapshot,
    at: usize,
    first: usize,
    page: &'a Page<'a>,
    /// The numbers of the only series that are written, in order.
    only: Option<Vec<usize>>,
}

/// Returns the numbers of the whole metric and of the series with the most events, in
/// order. A series has no more events than its parent and a higher number, so that the
/// parents of all are among them.
fn busiest(metric: &MetricSnapshot, most: usize) -> Vec<usize> {
    let mut least = BinaryHeap::with_capacity(most + 2);
    for (number, series) in metric.series().iter().enumerate() {
        least.push((Reverse(series.duration().count()), number));
        if least.len() > most + 1 {
            least.pop();
        }
    }
    let mut numbers: Vec<_> = least.into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers
}

impl Serialize for SeriesPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = self.metric.settings();
        let mut list = serializer.serialize_seq(None)?;
        // The labels of the series from the metric down to this one.
        let mut labels: Vec<Label<'_>> = Vec::new();
        for (number, series) in self.metric.series().iter().enumerate() {
            labels.truncate(series.depth().saturating_sub(1));
            if let Some(level) = series.level(settings) {
                labels.push(Label {
                    field: text(&level.field),
                    value: series.label().text(level),
                });
            }
            let is_left_out = self
                .only
                .as_ref()
                .is_some_and(|only| only.binary_search(&number).is_err());
            if number < self.first || is_left_out {
                continue;
            }
            let Some(left) = self.page.left.get().checked_sub(1) else {
                let next = Position {
                    metric: self.at,
                    series: number,
                };
                self.page.next.set(Some(next));
                break;
            };
            self.page.left.set(left);
            let has_quantiles = self.page.has_quantiles && series.depth() == 0;
            list.serialize_element(&One {
                labels: &labels,
                duration_us: Numbers::of(series.duration(), has_quantiles),
                fields: fields(self.metric, &series, has_quantiles),
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct Label<'a> {
    field: Cow<'a, str>,
    value: String,
}

#[derive(Serialize)]
struct One<'a> {
    labels: &'a [Label<'a>],
    duration_us: Numbers,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    name: Cow<'a, str>,
    values: Numbers,
}

fn fields<'a>(
    metric: &'a MetricSnapshot,
    series: &Series<'_>,
    has_quantiles: bool,
) -> Vec<Field<'a>> {
    let names = metric.settings().fields.iter();
    let fields = names.zip(series.fields());
    fields
        .map(|(name, values)| Field {
            name: text(name),
            values: Numbers::of(values, has_quantiles),
        })
        .collect()
}

#[derive(Serialize)]
struct Numbers {
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
    mean: f64,
    median: u64,
    p95: u64,
    /// From the least value to the most, each for 5 percent more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quantiles: Vec<u64>,
}

impl Numbers {
    fn of(values: &Distribution, has_quantiles: bool) -> Self {
        let quantiles = values.quantiles();
        let mut steps = Vec::new();
        if has_quantiles && values.count() > 0 {
            let percents = (0..=100).step_by(QUANTILE_STEP.into());
            steps.extend(percents.map(|percent| quantiles.percentile(Percentile::whole(percent))));
        }
        Self {
            count: values.count(),
            // JSON readers take no more than 64 bits.
            sum: u64::try_from(values.sum()).unwrap_or(u64::MAX),
            min: values.min(),
            max: values.max(),
            mean: values.mean(),
            median: quantiles.median(),
            p95: quantiles.percentile(Percentile::whole(95)),
            quantiles: steps,
        }
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
