//! Events for the tests, and how they are written.

use fantail_event::{
    Ancestor, CategoryTree, DURATION, Dialect, EffectiveBuffers, EffectiveEvent, Event, EventView,
    ExportView, Level, SentEvent, Timestamp, ValueRef,
};
use fantail_format::{ExportContext, Formatter, FormatterSettings};

pub(crate) const CONTEXT: ExportContext<'_> = ExportContext {
    host: b"vm",
    received_at: Timestamp::from_unix_micros(7),
};

/// An event chain as clients write it: the event, then its ancestors.
pub(crate) struct Sent<'t> {
    pub(crate) event: &'t [u8],
    pub(crate) parents: &'t [&'t [u8]],
    pub(crate) global: &'t [&'t [u8]],
}

impl<'t> Sent<'t> {
    /// Returns an event without ancestors.
    pub(crate) const fn alone(event: &'t [u8]) -> Self {
        Self {
            event,
            parents: &[],
            global: &[],
        }
    }

    /// Calls with the event, which took 732,764 microseconds.
    pub(crate) fn send<T>(&self, dialect: Dialect, receive: impl FnOnce(&SentEvent<'_>) -> T) -> T {
        let categories = categories();
        let read = |line: &&[u8]| {
            let line = [b"1795328191\t267241\tl1795328192\t5\t".as_slice(), line].concat();
            Event::parse(&line, &categories, dialect).unwrap()
        };
        let event = read(&self.event);
        let [parents, global] =
            [self.parents, self.global].map(|chain| chain.iter().map(read).collect::<Vec<_>>());
        receive(&SentEvent {
            parents: &ancestors(&parents),
            global: &ancestors(&global),
            categories: &categories,
            ..SentEvent::alone(&event)
        })
    }
}

/// Categories with their parents.
pub(crate) const CATEGORIES: [(&[u8], Option<&[u8]>); 3] = [
    (b"root1", None),
    (b"mid1", Some(b"root1")),
    (b"leaf1", Some(b"mid1")),
];

pub(crate) fn categories() -> CategoryTree {
    let mut tree = CategoryTree::default();
    for (name, parent) in CATEGORIES {
        tree.register(name, parent).unwrap();
    }
    tree
}

fn ancestors(events: &[Event]) -> Vec<Ancestor<'_>> {
    let events = events.iter();
    events.map(|event| Ancestor { event, live: None }).collect()
}

/// An effective event as another type, with all fields or without the duration,
/// which the expectations leave out: in the recordings it differs each time.
#[derive(Clone, Copy)]
pub(crate) struct View<'e> {
    event: EffectiveEvent<'e>,
    hides_duration: bool,
}

impl<'e> View<'e> {
    /// Hides the duration unless one of these events has a field of that name.
    pub(crate) fn without_duration(event: EffectiveEvent<'e>, sent: &SentEvent<'_>) -> Self {
        Self {
            event,
            hides_duration: sent.chain().all(|event| event.field(DURATION).is_none()),
        }
    }
}

impl EventView for View<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name()
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        let is_hidden = self.hides_duration && key == DURATION;
        self.event.field(key).filter(|_| !is_hidden)
    }

    fn level(&self) -> Option<Level> {
        self.event.level()
    }
}

impl ExportView for View<'_> {
    fn created(&self) -> Timestamp {
        self.event.created()
    }

    fn sent(&self) -> Option<Timestamp> {
        self.event.sent()
    }

    fn each_category(&self, each: &mut dyn FnMut(&[u8])) {
        self.event.categories().for_each(each);
    }

    fn each_field(&self, each: &mut dyn FnMut(&[u8], ValueRef<'_>)) {
        self.event.each_field(|key, value| {
            if !self.hides_duration || key != DURATION {
                each(key, value);
            }
        });
    }
}

/// Writes an event; to a buffer with other bytes the same is appended.
#[track_caller]
pub(crate) fn format(formatter: &Formatter, event: &EffectiveEvent<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    formatter.write(event, CONTEXT, &mut out);
    // Bytes that begin or separate parts in some format.
    let before = b"{[,\t= \"";
    let mut appended = before.to_vec();
    formatter.write(event, CONTEXT, &mut appended);
    let expected = [before, out.as_slice()].concat();
    assert_eq!(
        appended.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
    out
}

/// Writes an event without its duration. An event of another type with the same
/// fields is written alike, duration and all.
#[track_caller]
pub(crate) fn write_sent(sent: &SentEvent<'_>, settings: FormatterSettings) -> Vec<u8> {
    let formatter = Formatter::new(settings);
    let mut buffers = EffectiveBuffers::new();
    let event = buffers.gather(sent);
    let whole = View {
        event,
        hides_duration: false,
    };
    assert_eq!(
        format(&formatter, &event).escape_ascii().to_string(),
        format(&formatter, &EffectiveEvent::from(&whole as &dyn ExportView))
            .escape_ascii()
            .to_string()
    );
    let view = View::without_duration(event, sent);
    format(&formatter, &EffectiveEvent::from(&view as &dyn ExportView))
}

pub(crate) fn write(sent: &Sent<'_>, settings: FormatterSettings) -> Vec<u8> {
    sent.send(settings.dialect, |sent| write_sent(sent, settings))
}
