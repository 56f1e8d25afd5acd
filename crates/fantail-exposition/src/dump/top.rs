//! The lines of heavy hitters: a field `user=anna` of the metric for each value.

use fantail_metrics::{GroupBy, Method, MetricSnapshot};

use super::column::Column;

/// A value with a great weight.
#[derive(Debug)]
pub(super) struct TopField {
    /// The name of the field and the value, without control characters.
    pub(super) name: String,
    at_least: u64,
    at_most: u64,
    counts_events: bool,
}

impl TopField {
    /// Appends a TAB and the number of each column. `min` is the least weight of the
    /// value, and `max` the greatest; `sum`, and `count` for events, is what was counted.
    pub(super) fn write(&self, columns: &[Column], out: &mut Vec<u8>) {
        for column in columns {
            out.push(b'\t');
            let number = match column {
                Column::Count => self.counts_events.then_some(self.at_least),
                Column::Sum | Column::Min => Some(self.at_least),
                Column::Max => Some(self.at_most),
                _ => None,
            };
            if let Some(number) = number {
                crate::text::decimal::push_whole(number, out);
            }
        }
    }
}

/// Returns the values that a metric shows, those with the greatest weights first.
pub(super) fn fields(metric: &MetricSnapshot) -> Vec<TopField> {
    let (Some(settings), Some(values)) = (&metric.settings().top, metric.top()) else {
        return Vec::new();
    };
    let level = GroupBy::new(settings.field(), Method::Discrete(Vec::new()));
    let field = printable(&String::from_utf8_lossy(settings.field()));
    let shown = values.shown().into_iter().map(|one| TopField {
        name: format!("{field}={}", printable(&one.label.text(&level))),
        at_least: one.counted,
        at_most: one.at_most(),
        counts_events: settings.weight().is_none(),
    });
    shown.collect()
}

/// Replaces each control character with U+FFFD and two hexadecimal digits, as
/// [`Label::text`](fantail_metrics::Label::text) does with bytes that are not text.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.push_str(&format!("\u{FFFD}{:02X}", u32::from(character)));
        } else {
            printable.push(character);
        }
    }
    printable
}
