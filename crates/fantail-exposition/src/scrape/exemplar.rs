//! Exemplars: an event of a sample, in OpenMetrics and protobuf.

use std::borrow::Cow;

use fantail_metrics::Exemplar;

use super::{
    escape::push_label_value,
    name::{is_label_name, name_part},
    protobuf,
    value::Value,
};
use crate::text::numbers::push_seconds;

/// The maximum number of characters of an exemplar's label, name and value
/// together.
const MAX_CHARACTERS: usize = 128;

/// The form of the exemplars in one answer; `None` instead of it means no
/// exemplars.
#[derive(Debug, Clone)]
pub(crate) struct Exemplars {
    /// The name of the label.
    name: String,
}

/// The number of an exemplar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The number of events: 1.
    Event,
    /// The duration of the event.
    Duration,
    /// The value that chose its bucket.
    Own,
}

impl Exemplars {
    /// Returns the form of exemplars with the values of this field.
    pub(crate) fn of(field: &[u8]) -> Self {
        let mut name = name_part(field);
        if !is_label_name(&name) {
            name.insert(0, '_');
        }
        Self { name }
    }

    /// Appends the exemplar to a sample, unless it has no event or is longer
    /// than the standard allows.
    pub(crate) fn push(&self, exemplar: Option<&Exemplar>, measure: Measure, line: &mut Vec<u8>) {
        let Some((value, number, micros)) = self.parts(exemplar, measure) else {
            return;
        };
        line.extend_from_slice(b" # {");
        line.extend_from_slice(self.name.as_bytes());
        line.extend_from_slice(b"=\"");
        push_label_value(&value, line);
        line.extend_from_slice(b"\"} ");
        number.push(line);
        line.push(b' ');
        push_seconds(micros.into(), line);
    }

    /// Returns the exemplar as an encoded message, under the same conditions.
    pub(crate) fn encode(&self, exemplar: Option<&Exemplar>, measure: Measure) -> Option<Vec<u8>> {
        let (value, number, micros) = self.parts(exemplar, measure)?;
        let label = (self.name.as_str(), &*value);
        Some(protobuf::encode_exemplar(label, number.to_f64(), micros))
    }

    /// Returns the value of the label, the number, and the time in microseconds.
    fn parts<'e>(
        &self,
        exemplar: Option<&'e Exemplar>,
        measure: Measure,
    ) -> Option<(Cow<'e, str>, Value, u64)> {
        let exemplar = exemplar?;
        let value = String::from_utf8_lossy(&exemplar.value);
        let characters = self.name.chars().count() + value.chars().count();
        let micros = u64::try_from(exemplar.time.unix_micros()).ok()?;
        if value.is_empty() || characters > MAX_CHARACTERS {
            return None;
        }
        let number = match measure {
            Measure::Event => Value::Whole(1),
            Measure::Duration => Value::Seconds(exemplar.duration.into()),
            Measure::Own => Value::Signed(exemplar.own?),
        };
        Some((value, number, micros))
    }
}

/// Returns the later of two.
pub(crate) fn later<'a>(
    one: Option<&'a Exemplar>,
    other: Option<&'a Exemplar>,
) -> Option<&'a Exemplar> {
    let both = one.into_iter().chain(other);
    both.max_by_key(|exemplar| exemplar.time.unix_micros())
}
