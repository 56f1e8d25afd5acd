//! Writes the events of one exporter and metric.

use std::fmt;

use fantail_event::{Dialect, EffectiveEvent, Timestamp};

use crate::{
    EventIds, FieldRules, Format, Parts, TimeStyle,
    export::{Export, Fields, Style},
};

/// The settings for the output of a metric's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatterSettings {
    /// The format.
    pub format: Format,
    /// The format of times.
    pub time_style: TimeStyle,
    /// The parts that are written.
    pub parts: Parts,
    /// The fields to write, in this order; empty for all there are.
    pub fields: Vec<Vec<u8>>,
    /// The rules that omit, hash or shorten these fields.
    pub rules: FieldRules,
    /// Whether [`Formatter::write_numbered`] writes an id. Dovecot has no ids.
    pub event_id: bool,
    /// Whether long strings are cut, as Dovecot does for its `log` transport:
    /// text fields after 1000 bytes, in JSON the elements of lists too.
    pub cut_long_strings: bool,
    /// The Dovecot series to follow: 2.4 writes the hexadecimal digits of JSON
    /// escapes in upper case, and cuts JSON strings at a character.
    pub dialect: Dialect,
}

impl FormatterSettings {
    /// Returns the settings of an exporter that sets only its format: all parts and
    /// fields, unchanged, with times as in RFC 3339.
    #[must_use]
    pub fn new(format: Format, dialect: Dialect) -> Self {
        Self {
            format,
            time_style: TimeStyle::Rfc3339,
            parts: Parts::ALL,
            fields: Vec::new(),
            rules: FieldRules::default(),
            event_id: false,
            cut_long_strings: false,
            dialect,
        }
    }
}

/// The host name and time of receipt that exports carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportContext<'a> {
    /// The name of the exporting host.
    pub host: &'a [u8],
    /// The time at which the event was received. It is the end time of an event
    /// that was never sent, and the time of exemplars.
    pub received_at: Timestamp,
}

/// A format that a program adds to those of [`Format`].
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
///
/// ```
/// use fantail_event::EffectiveEvent;
/// use fantail_format::{EventFormatter, ExportContext};
///
/// /// Writes the names of metric and host.
/// #[derive(Debug)]
/// struct Names;
///
/// impl EventFormatter for Names {
///     fn write(
///         &self,
///         metric: &[u8],
///         _event: &EffectiveEvent<'_>,
///         context: ExportContext<'_>,
///         out: &mut Vec<u8>,
///     ) {
///         out.extend([metric, b"@", context.host].concat());
///     }
/// }
/// # use fantail_event::{EffectiveBuffers, Event, SentEvent, Timestamp};
/// # let event = Event::default();
/// # let sent = SentEvent::alone(&event);
/// # let mut buffers = EffectiveBuffers::default();
/// # let event = buffers.gather(&sent);
/// # let context = ExportContext { host: b"mail1", received_at: Timestamp::from_unix_micros(0) };
///
/// let mut out = Vec::new();
/// Names.write(b"logins", &event, context, &mut out);
/// assert_eq!(out, b"logins@mail1");
/// ```
pub trait EventFormatter: fmt::Debug + Send + Sync {
    /// Appends an event that matched this metric, without an end of line.
    fn write(
        &self,
        metric: &[u8],
        event: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
        out: &mut Vec<u8>,
    );
}

/// The configured formats do not write the name of the metric.
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

/// Writes events as an exporter is configured.
#[derive(Debug, Clone)]
pub struct Formatter {
    settings: FormatterSettings,
}

impl Formatter {
    /// Creates a formatter for these settings.
    #[must_use]
    pub const fn new(settings: FormatterSettings) -> Self {
        Self { settings }
    }

    /// Returns whether its format is [`Format::None`]: an event need not be gathered
    /// for it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.settings.format == Format::None
    }

    /// Appends an event without an end of line and without an id.
    pub fn write(&self, event: &EffectiveEvent<'_>, context: ExportContext<'_>, out: &mut Vec<u8>) {
        self.write_export(event, None, context, out);
    }

    /// Appends an event as [`write`](Self::write) does, with the next id if
    /// [`FormatterSettings::event_id`] is set.
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
            level: event.level(),
            hostname: parts.hostname.then_some(context.host),
            times: parts
                .timestamps
                .then(|| [event.created(), event.sent().unwrap_or(context.received_at)]),
            categories: parts.categories.then(|| event.categories()),
            fields: parts.fields.then_some(Fields {
                event,
                chosen: &settings.fields,
                rules: &settings.rules,
            }),
        };
        let style = Style {
            time_style: settings.time_style,
            dialect: settings.dialect,
            cut_long_strings: settings.cut_long_strings,
        };
        (settings.format.row().write)(&export, style, out);
    }
}
