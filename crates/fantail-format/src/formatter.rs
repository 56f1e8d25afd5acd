//! What is written, chosen before how it is written.

use fantail_event::{Dialect, Elements, Event, Flat, FlatValue, SentEvent, Timestamp};

use crate::{EventIds, FieldRules, Format, Parts, TimeStyle};

/// The longest string that Dovecot's `log` transport leaves whole, in bytes.
const LOGGED_STRING: usize = 1000;

/// How an exporter writes the events of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatterSettings {
    /// The format.
    pub format: Format,
    /// How times are written.
    pub time_style: TimeStyle,
    /// Which parts are written.
    pub parts: Parts,
    /// The fields to write, in this order; empty for all there are.
    pub fields: Vec<Vec<u8>>,
    /// Which of these fields are left out, hashed or shortened.
    pub rules: FieldRules,
    /// Whether ids are written, where they are
    /// [handed out](Formatter::write_numbered). Dovecot has none.
    pub event_id: bool,
    /// Whether long strings are cut, as Dovecot does for its `log` transport:
    /// text fields after 1000 bytes, in JSON the elements of lists too.
    pub cut_long_strings: bool,
    /// Whose details are followed: 2.4 writes the hexadecimal digits of JSON
    /// escapes in upper case, and cuts JSON strings before a whole character.
    pub dialect: Dialect,
}

/// What an event does not know of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The name of the exporting host.
    pub hostname: &'a [u8],
    /// The end time of an event that was never sent.
    pub now: Timestamp,
}

/// Writes events in one way.
#[derive(Debug, Clone)]
pub struct Formatter {
    settings: FormatterSettings,
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
    flat: &'e Flat<'e>,
    settings: &'e FormatterSettings,
}

impl Fields<'_> {
    /// Calls `write` with each key and what is to be written of its value, in
    /// order. Nothing is copied but what is hashed or masked.
    #[inline]
    pub(crate) fn each(&self, mut write: impl FnMut(&[u8], FlatValue<'_>)) {
        if self.settings.fields.is_empty() && self.settings.rules.is_empty() {
            self.flat.each_field(write);
        } else {
            self.each_chosen(&mut write);
        }
    }

    fn each_chosen(&self, write: &mut dyn FnMut(&[u8], FlatValue<'_>)) {
        let rules = &self.settings.rules;
        if self.settings.fields.is_empty() {
            self.flat
                .each_field(|key, value| rules.apply(key, value, write));
        }
        for key in &self.settings.fields {
            if let Some(value) = self.flat.field(key) {
                rules.apply(key, value, write);
            }
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

impl Formatter {
    /// A formatter for these settings.
    #[must_use]
    pub const fn new(settings: FormatterSettings) -> Self {
        Self { settings }
    }

    /// Whether it writes nothing of any event: then there is nothing to be
    /// found out about one.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.settings.format == Format::None
    }

    /// Appends the event, without an end of line.
    pub fn write(&self, sent: &SentEvent<'_>, moment: Moment<'_>, out: &mut Vec<u8>) {
        if !self.is_silent() {
            self.write_flat(&sent.flatten(), moment, out);
        }
    }

    /// As [`write`](Self::write), for an event that was
    /// [flattened](SentEvent::flatten) already.
    pub fn write_flat(&self, flat: &Event<'_>, moment: Moment<'_>, out: &mut Vec<u8>) {
        self.write_view(&Flat::from(flat), moment, out);
    }

    /// As [`write`](Self::write), from wherever the event lies: several
    /// formatters can share the work of finding what it inherits.
    pub fn write_view(&self, flat: &Flat<'_>, moment: Moment<'_>, out: &mut Vec<u8>) {
        self.write_export(flat, None, moment, out);
    }

    /// As [`write_view`](Self::write_view), with the next id, if ids are
    /// written.
    pub fn write_numbered(
        &self,
        flat: &Flat<'_>,
        ids: &mut EventIds,
        moment: Moment<'_>,
        out: &mut Vec<u8>,
    ) {
        let id = self.settings.event_id.then(|| ids.next_id());
        self.write_export(flat, id, moment, out);
    }

    fn write_export(
        &self,
        flat: &Flat<'_>,
        id: Option<&[u8]>,
        moment: Moment<'_>,
        out: &mut Vec<u8>,
    ) {
        let settings = &self.settings;
        let parts = settings.parts;
        let export = Export {
            id,
            name: flat.name().filter(|_| parts.name),
            hostname: parts.hostname.then_some(moment.hostname),
            times: parts
                .timestamps
                .then(|| [flat.created(), flat.sent().unwrap_or(moment.now)]),
            categories: parts.categories.then(|| flat.categories()),
            fields: parts.fields.then_some(Fields { flat, settings }),
        };
        let style = Style {
            time_style: settings.time_style,
            dialect: settings.dialect,
            cut: settings.cut_long_strings.then_some(LOGGED_STRING),
        };
        (settings.format.row().write)(&export, style, out);
    }
}
