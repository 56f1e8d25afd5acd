//! Types that all formats share: the parts of an event that are written, and the
//! row of a format.
//!
//! A formatter chooses the parts; a format only writes them.

use fantail_event::{Dialect, EffectiveEvent, Elements, Level, Timestamp, ValueRef};

use crate::{rules::FieldRules, settings::TimeStyle};

/// The length at which Dovecot's `log` transport cuts strings.
pub(crate) const MAX_LOGGED_BYTES: usize = 1000;

/// The properties of a format.
pub(crate) struct FormatRow {
    /// Its name in a configuration.
    pub(crate) name: &'static str,
    /// The media type of one event in it.
    pub(crate) content_type: &'static str,
    /// Whether a configuration must set how times are written.
    pub(crate) has_times: bool,
    /// Appends an event, without an end of line.
    pub(crate) write: fn(&Export<'_>, Style, &mut Vec<u8>),
}

impl FormatRow {
    /// Returns the row of a format that contains times.
    pub(crate) const fn new(
        name: &'static str,
        content_type: &'static str,
        write: fn(&Export<'_>, Style, &mut Vec<u8>),
    ) -> Self {
        Self {
            name,
            content_type,
            has_times: true,
            write,
        }
    }
}

/// The parts of one event that are written.
#[derive(Clone, Copy)]
pub(crate) struct Export<'e> {
    pub(crate) id: Option<&'e [u8]>,
    pub(crate) name: Option<&'e [u8]>,
    pub(crate) level: Option<Level>,
    pub(crate) hostname: Option<&'e [u8]>,
    /// Start and end.
    pub(crate) times: Option<[Timestamp; 2]>,
    pub(crate) categories: Option<Elements<'e>>,
    pub(crate) fields: Option<Fields<'e>>,
}

impl Export<'_> {
    /// Returns the name and the fields, for a message whose envelope has the other
    /// parts.
    pub(crate) fn to_message(self) -> Self {
        Self {
            id: None,
            hostname: None,
            times: None,
            categories: None,
            ..self
        }
    }
}

/// The fields that are written of one event.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'e> {
    pub(crate) event: &'e EffectiveEvent<'e>,
    /// The keys to write, in this order; empty for all there are.
    pub(crate) chosen: &'e [Vec<u8>],
    pub(crate) rules: &'e FieldRules,
}

impl Fields<'_> {
    /// Calls `write` with each key and the value to write, in order. Only hashed and
    /// masked values are copied.
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

/// The style of an event's output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) time_style: TimeStyle,
    pub(crate) dialect: Dialect,
    /// Whether strings of more than [`MAX_LOGGED_BYTES`] are cut.
    pub(crate) cut_long_strings: bool,
}
