//! Counting the heavy hitters of a metric.

use std::sync::Arc;

use fantail_event::ValueRef;

use super::{SeriesMemory, memory::Charge, metric_view::MetricView, observe::Scratch};
use crate::{HeavyHitters, MetricSettings, Top, heavy_hitters::MAX_KEY_BYTES, label::text_key};

/// The heavy hitters of a metric. Snapshots share the summary; the next event copies it.
#[derive(Debug)]
pub(super) struct TopCounts {
    summary: Arc<HeavyHitters>,
    charge: Charge,
}

/// Counts an event of a metric with heavy hitters.
#[inline(never)]
pub(super) fn observe<V: MetricView + ?Sized>(
    counts: &mut Option<Box<TopCounts>>,
    settings: &MetricSettings,
    event: &V,
    scratch: &mut Scratch,
) {
    if let (Some(counts), Some(top)) = (counts, &settings.top) {
        counts.observe(top, event, scratch);
    } else {
        debug_assert!(false, "the metric has no heavy hitters");
    }
}

impl TopCounts {
    pub(super) fn new(top: &Top, memory: Option<&Arc<dyn SeriesMemory>>) -> Self {
        let mut counts = Self {
            summary: Arc::new(HeavyHitters::new(top)),
            charge: Charge::default(),
        };
        // Without memory, the first counters exist like the series of the metric itself.
        counts.charge.take(HeavyHitters::first_bytes(top));
        counts.share_memory(memory);
        counts
    }

    pub(super) fn share_memory(&mut self, memory: Option<&Arc<dyn SeriesMemory>>) {
        self.charge.share(memory);
    }

    pub(super) fn share(&self) -> Arc<HeavyHitters> {
        Arc::clone(&self.summary)
    }

    pub(super) fn reset(&mut self) {
        Arc::make_mut(&mut self.summary).reset();
    }

    /// Adds the heavy hitters of a saved state.
    pub(super) fn absorb(&mut self, saved: &HeavyHitters) {
        let charge = &mut self.charge;
        let summary = Arc::make_mut(&mut self.summary);
        summary.merge(saved, |bytes| charge.take(bytes));
    }

    /// Counts an event. Values that are missing or empty are not counted, nor are times.
    #[inline]
    fn observe<V: MetricView + ?Sized>(&mut self, top: &Top, event: &V, scratch: &mut Scratch) {
        let Some(value) = event.top() else {
            return;
        };
        let weight = match top.weight() {
            None => 1,
            Some(_) => event.top_weight().map_or(0, weight),
        };
        if let ValueRef::Str(text) = value
            && let Some(key) = text_key(text, top.modifiers())
        {
            self.record(key, weight);
        } else {
            for key in scratch.keys_of(value, top.modifiers()) {
                self.record(key, weight);
            }
        }
    }

    #[inline]
    fn record(&mut self, key: &[u8], weight: u64) {
        // A longer key is that of a long value; its end is only for dumps of series.
        let key = key.get(..MAX_KEY_BYTES).unwrap_or(key);
        if key.is_empty() {
            return;
        }
        let charge = &mut self.charge;
        let summary = Arc::make_mut(&mut self.summary);
        summary.record(key, weight, |bytes| charge.take(bytes));
    }
}

/// Returns the weight of a value.
const fn weight(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Int(number) if number > 0 => number.cast_unsigned(),
        ValueRef::Unsigned(number) => number,
        // The cast saturates at 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        ValueRef::Float(number) => number as u64,
        ValueRef::Int(_)
        | ValueRef::Time(_)
        | ValueRef::Str(_)
        | ValueRef::Bool(_)
        | ValueRef::Ip(_)
        | ValueRef::List(_) => 0,
    }
}
