//! An exemplar: one event of a series, with a value to find it elsewhere.
//!
//! Exemplars are kept on request only: the last event of each series without
//! children. A snapshot shares them with its registry.

use std::sync::Arc;

use fantail_event::{Timestamp, ValueRef};

/// The maximum length of a value: scrapes cannot have longer ones.
const MAX_VALUE_BYTES: usize = 128;

/// The last event of a series that had the configured field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exemplar {
    /// The value of that field; 1 to 128 bytes.
    pub value: Vec<u8>,
    /// The duration of the event in microseconds.
    pub duration: u64,
    /// The value that chose the bucket, for a quantized level.
    pub own: Option<i64>,
    /// The time when the event was received.
    pub time: Timestamp,
}

impl Exemplar {
    /// Begins the exemplar of an event with this value; it stays empty if the
    /// value cannot be kept.
    pub(crate) fn begin(&mut self, value: Option<ValueRef<'_>>, time: Timestamp) {
        self.value.clear();
        self.time = time;
        match value {
            Some(ValueRef::Str(text)) if text.len() <= MAX_VALUE_BYTES => {
                self.value.extend_from_slice(text);
            }
            Some(ValueRef::Int(number)) => self.value.extend(number.to_string().into_bytes()),
            Some(ValueRef::Unsigned(number)) => self.value.extend(number.to_string().into_bytes()),
            Some(ValueRef::Ip(ip)) => ip.write_into(&mut self.value),
            Some(
                ValueRef::Str(_)
                | ValueRef::Float(_)
                | ValueRef::Bool(_)
                | ValueRef::Time(_)
                | ValueRef::List(_),
            )
            | None => {}
        }
    }

    /// Returns whether the exemplar is empty.
    #[inline]
    pub(crate) const fn is_none(&self) -> bool {
        self.value.is_empty()
    }

    /// Replaces `before`; reuses its memory unless a snapshot shares it.
    pub(crate) fn replace(&self, before: &mut Option<Arc<Self>>, in_bucket: bool) {
        let own = self.own.filter(|_| in_bucket);
        if let Some(before) = before.as_mut().and_then(Arc::get_mut) {
            before.value.clear();
            before.value.extend_from_slice(&self.value);
            before.duration = self.duration;
            before.own = own;
            before.time = self.time;
        } else {
            let value = self.value.clone();
            *before = Some(Arc::new(Self {
                value,
                own,
                ..*self
            }));
        }
    }

    /// Returns the later of two.
    pub(crate) fn later<'a>(
        one: Option<&'a Arc<Self>>,
        other: Option<&'a Arc<Self>>,
    ) -> Option<&'a Arc<Self>> {
        // At equal times, `one` is the result.
        let both = other.into_iter().chain(one);
        both.max_by_key(|exemplar| exemplar.time.unix_micros())
    }
}
