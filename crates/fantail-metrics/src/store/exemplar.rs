//! One event of a series, by which it can be found elsewhere.
//!
//! Kept only if it is asked for, and only the last one of each series that has
//! nothing below it. A snapshot shares them with its registry.

use std::sync::Arc;

use fantail_event::{Timestamp, ValueRef};

/// Longer values are not kept: no scrape could have them.
const MAX_VALUE_BYTES: usize = 128;

/// The last event of a series that had the field that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exemplar {
    /// The value of that field; 1 to 128 bytes.
    pub value: Vec<u8>,
    /// The duration of the event in microseconds.
    pub duration: u64,
    /// The value by which the event was put into its bucket, if it was.
    pub own: Option<i64>,
    /// When the event came.
    pub time: Timestamp,
}

impl Exemplar {
    /// Is that of an event with this value; without a value if there is none
    /// that can be kept.
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

    /// Whether nothing is to be kept.
    #[inline]
    pub(crate) const fn is_none(&self) -> bool {
        self.value.is_empty()
    }

    /// Takes the place of `before`, whose memory it uses if no snapshot does.
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

    /// The later one of two.
    pub(crate) fn later<'a>(
        one: Option<&'a Arc<Self>>,
        other: Option<&'a Arc<Self>>,
    ) -> Option<&'a Arc<Self>> {
        // Of two at one time the first.
        let both = other.into_iter().chain(one);
        both.max_by_key(|exemplar| exemplar.time.unix_micros())
    }
}
