//! The indexed part of the catalogue that one Dovecot sends.
//!
//! A configuration can have a hundred thousand metrics, so a check of a metric
//! must not walk through all events and fields.

use std::{cell::Cell, collections::HashMap};

use fantail_config::{Target, internal::similar};
use fantail_event::Dialect;
use fantail_filter::Pattern;

use super::{Catalogue, CatalogueEvent, Field, FieldType, stands_for};

/// The number of names for which suggestions are computed, because they take
/// time.
const MAX_SUGGESTIONS: usize = 1_000;

/// The events and fields of one series, or one release, of Dovecot.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) target: Target,
    /// The events, by name.
    pub(crate) events: Vec<&'a CatalogueEvent>,
    /// The events that have a field, ascending, for each key.
    by_key: HashMap<&'static str, Vec<Carrier<'a>>>,
    /// The fields whose names have an open end.
    open_ended: Vec<Carrier<'a>>,
    /// The keys of all fields, sorted.
    keys: Vec<&'static str>,
    suggestions_left: Cell<usize>,
}

/// The position of an event, and the position of a field in it.
#[derive(Debug, Clone, Copy)]
struct Carrier<'a> {
    event: usize,
    position: usize,
    field: &'a Field,
}

impl<'a> Series<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue, target: Target) -> Self {
        let all = catalogue.events().iter();
        let events: Vec<&CatalogueEvent> = all.filter(|event| event.is_in(target)).collect();
        let mut by_key: HashMap<&str, Vec<Carrier<'_>>> = HashMap::new();
        let (mut open_ended, mut keys) = (Vec::new(), vec!["duration"]);
        for (event, sent) in events.iter().enumerate() {
            for (position, field) in sent.fields.iter().enumerate() {
                if !field.is_in(target) {
                    continue;
                }
                let key = field.key(target.dialect());
                let carrier = Carrier {
                    event,
                    position,
                    field,
                };
                keys.push(key);
                if key.contains(['*', '<']) {
                    open_ended.push(carrier);
                } else {
                    by_key.entry(key).or_default().push(carrier);
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        Self {
            catalogue,
            target,
            events,
            by_key,
            open_ended,
            keys,
            suggestions_left: Cell::new(MAX_SUGGESTIONS),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.target.dialect()
    }

    /// Returns the field with this key of each event that has it, with the
    /// event, by name.
    pub(crate) fn carriers(&self, key: &[u8]) -> Vec<(&'a CatalogueEvent, &'a Field)> {
        let text = std::str::from_utf8(key).ok();
        let exact = text.and_then(|key| self.by_key.get(key));
        let open_ended = self.open_ended.iter();
        let fitting =
            open_ended.filter(|carrier| stands_for(carrier.field.key(self.dialect()), key));
        let mut carriers: Vec<Carrier<'_>> = exact
            .into_iter()
            .flatten()
            .chain(fitting)
            .copied()
            .collect();
        // The first field of an event counts.
        carriers.sort_by_key(|carrier| (carrier.event, carrier.position));
        carriers.dedup_by_key(|carrier| carrier.event);
        let event = |carrier: Carrier<'a>| Some((*self.events.get(carrier.event)?, carrier.field));
        carriers.into_iter().filter_map(event).collect()
    }

    /// Returns whether a field with this key is a number in any event.
    pub(crate) fn may_be_number(&self, key: &[u8]) -> bool {
        let dialect = self.dialect();
        // Only 2.3 crashes.
        let is_number = |field: &Field| field.kind(Dialect::V2_3) == FieldType::Integer;
        let text = std::str::from_utf8(key).ok();
        let exact = text.and_then(|key| self.by_key.get(key)).into_iter();
        let mut open_ended = self.open_ended.iter();
        let mut stray = self.catalogue.stray_fields().iter();
        key == b"duration"
            || exact.flatten().any(|carrier| is_number(carrier.field))
            || open_ended.any(|carrier| {
                stands_for(carrier.field.key(dialect), key) && is_number(carrier.field)
            })
            || stray.any(|field| field.name.as_bytes() == key && is_number(field))
    }

    /// Returns the events of this series whose names match a pattern.
    pub(crate) fn named(&self, pattern: &Pattern) -> Vec<&'a CatalogueEvent> {
        let known = known(self.catalogue, pattern);
        let known = known.into_iter();
        known.filter(|event| event.is_in(self.target)).collect()
    }

    /// Returns the keys of all fields, sorted.
    pub(crate) fn keys(&self) -> &[&'static str] {
        &self.keys
    }

    /// Returns similar names; none after many suggestions.
    pub(crate) fn similar<'n>(
        &self,
        written: &[u8],
        names: impl IntoIterator<Item = &'n str>,
        most: usize,
    ) -> Vec<&'n str> {
        let left = self.suggestions_left.get();
        if left == 0 {
            return Vec::new();
        }
        self.suggestions_left.set(left - 1);
        similar(written, names, most)
    }
}

/// Returns the events of any series whose names match a pattern, by name.
pub(crate) fn known<'a>(catalogue: &'a Catalogue, pattern: &Pattern) -> Vec<&'a CatalogueEvent> {
    if let Some(name) = pattern.literal() {
        return catalogue.event(name).into_iter().collect();
    }
    let events = catalogue.events().iter();
    events
        .filter(|event| pattern.matches(event.name.as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index gives the same as a walk through all events.
    #[test]
    fn carriers_are_those_of_each_event() {
        let catalogue = Catalogue::new();
        for dialect in [Dialect::V2_3, Dialect::V2_4] {
            let series = Series::new(&catalogue, dialect.into());
            let more = ["id_param_x-originating-ip", "id_invalid7", "nosuch"];
            for key in series.keys().iter().chain(&more) {
                let walked = series.events.iter().filter_map(|event| {
                    let field = event.field(key.as_bytes(), dialect)?;
                    Some((*event, field))
                });
                assert_eq!(series.carriers(key.as_bytes()), walked.collect::<Vec<_>>());
            }
        }
    }
}
