//! What is written, chosen before how it is written.

use std::fmt;

use fantail_event::{Dialect, EffectiveEvent, Elements, Timestamp, ValueRef};

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

/// What an export says besides the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportContext<'a> {
    /// The name of the exporting host.
    pub host: &'a [u8],
    /// When the event was received: the end time of an event that was never
    /// sent, and the time of exemplars.
    pub received_at: Timestamp,
}

/// Writes events in a format of its own.
///
/// ```
/// use fantail_event::{EffectiveBuffers, EffectiveEvent, Event, SentEvent, Timestamp};
/// use fantail_format::{EventFormatter, ExportContext};
///
/// #[derive(Debug)]
/// struct Names;
///
/// impl EventFormatter for Names {
///     fn write(
///         &self,
///         metric: &[u8],
///         event: &EffectiveEvent<'_>,
///         _context: ExportContext<'_>,
///         out: &mut Vec<u8>,
///     ) {
///         out.extend_from_slice(metric);
///         out.push(b'=');
///         out.extend_from_slice(event.name().unwrap_or(b"-"));
///     }
/// }
///
/// let received_at = Timestamp::from_unix_micros(0);
/// let event = Event::builder(received_at).name("login").build()?;
/// let (mut buffers, mut out) = (EffectiveBuffers::new(), Vec::new());
/// let context = ExportContext { host: b"mail1", received_at };
/// Names.write(b"logins", &buffers.gather(&SentEvent::alone(&event)), context, &mut out);
/// assert_eq!(out, b"logins=login");
/// # Ok::<(), fantail_event::TooLarge>(())
/// ```
pub trait EventFormatter: fmt::Debug + Send + Sync {
    /// Appends the event, which matched this metric, without an end of line.
    fn write(
        &self,
        metric: &[u8],
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    );
}

/// The configured formats; the metric's name is in none of them.
impl EventFormatter for Formatter {
    fn write(
        &self,
        _metric: &[u8],
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        Self::write(self, event, context, out);
    }
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
    event: &'e EffectiveEvent<'e>,
    settings: &'e FormatterSettings,
}

impl Fields<'_> {
    /// Calls `write` with each key and what is to be written of its value, in
    /// order. Nothing is copied but what is hashed or masked.
    #[inline]
    pub(crate) fn each(&self, mut write: impl FnMut(&[u8], ValueRef<'_>)) {
        if self.settings.fields.is_empty() && self.settings.rules.is_empty() {
            self.event.each_field(write);
        } else {
            self.each_chosen(&mut write);
        }
    }

    fn each_chosen(&self, write: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        let rules = &self.settings.rules;
        if self.settings.fields.is_empty() {
            self.event
                .each_field(|key, value| rules.apply(key, value, write));
        }
        for key in &self.settings.fields {
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

    /// Appends the event, without an end of line and without an id.
    pub fn write(&self, event: &EffectiveEvent<'_>, context: ExportContext<'_>, out: &mut Vec<u8>) {
        self.write_export(event, None, context, out);
    }

    /// As [`write`](Self::write), with the next id, if ids are written.
    pub fn write_numbered(
        &self,
        event: &EffectiveEvent<'_>,
        ids: &mut EventIds,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        let id = self.settings.event_id.then(|| ids.next_id());
        self.write_export(event, id, context, out);
    }

    fn write_export(
        &self,
        event: &EffectiveEvent<'_>,
        id: Option<&[u8]>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    ) {
        let settings = &self.settings;
        let parts = settings.parts;
        let export = Export {
            id,
            name: event.name().filter(|_| parts.name),
            hostname: parts.hostname.then_some(context.host),
            times: parts
                .timestamps
                .then(|| [event.created(), event.sent().unwrap_or(context.received_at)]),
            categories: parts.categories.then(|| event.categories()),
            fields: parts.fields.then_some(Fields { event, settings }),
        };
        let style = Style {
            time_style: settings.time_style,
            dialect: settings.dialect,
            cut: settings.cut_long_strings.then_some(LOGGED_STRING),
        };
        (settings.format.row().write)(&export, style, out);
    }
}
