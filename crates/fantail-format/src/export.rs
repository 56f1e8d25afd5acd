//! What one format writes of one event, and the row of a format.

use fantail_event::{Dialect, EffectiveEvent, Elements, Timestamp, ValueRef};

use crate::{FieldRules, TimeStyle};

/// What is to be known of a format.
pub(crate) struct Row {
    /// Its name in a configuration.
    pub(crate) name: &'static str,
    /// The media type of one event in it.
    pub(crate) content_type: &'static str,
    /// Whether a configuration has to say how times are written.
    pub(crate) has_times: bool,
    /// Appends an event, without an end of line.
    pub(crate) write: fn(&Export<'_>, Style, &mut Vec<u8>),
}

/// What is written of one event.
#[derive(Clone, Copy)]
pub(crate) struct Export<'e> {
    pub(crate) id: Option<&'e [u8]>,
    pub(crate) name: Option<&'e [u8]>,
    pub(crate) hostname: Option<&'e [u8]>,
    /// Start and end.
    pub(crate) times: Option<[Timestamp; 2]>,
    pub(crate) categories: Option<Elements<'e>>,
    pub(crate) fields: Option<Fields<'e>>,
}

/// The fields that are written of one event.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'e> {
    pub(crate) event: &'e EffectiveEvent<'e>,
    /// Those that are chosen, in this order; empty for all.
    pub(crate) chosen: &'e [Vec<u8>],
    pub(crate) rules: &'e FieldRules,
}

impl Fields<'_> {
    /// Calls `write` with each key and what is to be written of its value, in
    /// order. Nothing is copied but what is hashed or masked.
    #[inline]
    pub(crate) fn each(&self, mut write: impl FnMut(&[u8], ValueRef<'_>)) {
        if self.chosen.is_empty() && self.rules.is_empty() {
            self.event.each_field(write);
        } else {
            self.each_chosen(&mut write);
        }
    }

    fn each_chosen(&self, write: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        let rules = self.rules;
        if self.chosen.is_empty() {
            self.event
                .each_field(|key, value| rules.apply(key, value, write));
        }
        for key in self.chosen {
            self.event
                .with_field(key, |value| rules.apply(key, value, &mut *write));
        }
    }
}

/// The details of writing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) time_style: TimeStyle,
    pub(crate) dialect: Dialect,
    /// The number of bytes after which strings are cut.
    pub(crate) cut: Option<usize>,
}
