//! One event of a series, by which it can be found elsewhere.
//!
//! Kept only if it is asked for, and only the last one of each series that has
//! nothing below it.

use fantail_event::{EventView, Timestamp, ValueRef};

/// Longer values are not kept: no scrape could have them.
pub(crate) const MAX_BYTES: usize = 128;

/// The last event of a series that had the field that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Of an event; `None` if it has no value that can be kept.
    pub(crate) fn of<E: EventView + ?Sized>(
        event: &E,
        field: &[u8],
        time: Timestamp,
    ) -> Option<Self> {
        let value = match event.field(field)? {
            ValueRef::Str(text) if text.is_empty() || text.len() > MAX_BYTES => return None,
            ValueRef::Str(text) => text.to_vec(),
            ValueRef::Int(number) => number.to_string().into_bytes(),
            ValueRef::Ip(ip) => ip.to_string().into_bytes(),
            ValueRef::Time(_) | ValueRef::List => return None,
        };
        Some(Self {
            value,
            duration: 0,
            own: None,
            time,
        })
    }

    /// Takes the place of `before`, whose memory it uses.
    pub(crate) fn replace(&self, before: &mut Option<Box<Self>>) {
        match before {
            None => *before = Some(Box::new(self.clone())),
            Some(before) => {
                before.value.clear();
                before.value.extend_from_slice(&self.value);
                before.duration = self.duration;
                before.own = self.own;
                before.time = self.time;
            }
        }
    }

    /// The later one of two.
    pub(crate) fn later(one: &mut Option<Box<Self>>, other: Option<&Self>) {
        let time = |exemplar: &Self| exemplar.time.unix_micros();
        if let Some(other) = other
            && one.as_deref().is_none_or(|one| time(one) < time(other))
        {
            *one = Some(Box::new(other.clone()));
        }
    }
}
