//! The events of tests.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    ops::ControlFlow,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use fantail::{
    config::{Span, TestEvent, TestFile},
    event::{CategoryTree, Dialect, Event, Level, SentEvent, Timestamp, escape},
    format::ExportContext,
    lint::Catalogue,
};

use crate::{
    exit::Failure,
    io::capture::{Player, Recording},
};

/// The creation time of events that are written in a test file: the first
/// second of 2026. It is constant, so that a test has the same result every
/// day.
const WRITTEN_EVENT_MICROS: i64 = 1_767_225_600_000_000;

/// The reason why an event cannot be sent, and the invalid part of the file.
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) span: Span,
}

/// A source of events: makes written ones, and reads those of captures.
pub(super) struct Events {
    dialect: Dialect,
    hostname: Vec<u8>,
    catalogue: Catalogue,
    captures: HashMap<Vec<u8>, Recording>,
}

impl Refused {
    fn new(message: impl fmt::Display, span: Span) -> Self {
        Self {
            message: message.to_string(),
            span,
        }
    }
}

impl Events {
    pub(super) fn new(dialect: Dialect, hostname: Vec<u8>) -> Self {
        Self {
            dialect,
            hostname,
            catalogue: Catalogue::new(),
            captures: HashMap::new(),
        }
    }

    /// Tries all events of a file; reports those that cannot be sent.
    pub(super) fn prepare(&mut self, file: &mut TestFile) -> Result<(), Failure> {
        let mut refused: Vec<Refused> = Vec::new();
        for event in file.tests.iter().flat_map(|test| &test.events) {
            refused.extend(self.send(event, &mut |_, _| {})?.err());
        }
        for Refused { message, span } in refused {
            file.refuse_event(message, span);
        }
        Ok(())
    }

    /// Passes an event to `observe`, or returns the reason why it cannot be
    /// sent.
    pub(super) fn send(
        &mut self,
        event: &TestEvent,
        observe: &mut dyn FnMut(&SentEvent<'_>, ExportContext<'_>),
    ) -> Result<Result<(), Refused>, Failure> {
        let mut categories = CategoryTree::default();
        let made = match event {
            TestEvent::Written(written) => {
                let created = Timestamp::from_unix_micros(WRITTEN_EVENT_MICROS);
                let catalogue = &self.catalogue;
                let made = catalogue.make(written, created, self.dialect, &mut categories);
                made.map(|event| (event, written.level))
                    .map_err(|error| Refused::new(&error, error.span()))
            }
            TestEvent::Sent(line) => {
                for category in mentioned(line.bytes()) {
                    // A category that the tree refuses is unknown to the event.
                    let _ = self.catalogue.register(&category, &mut categories);
                }
                let event = Event::parse(line.bytes(), &categories, self.dialect);
                event
                    .map(|event| (event, Level::default()))
                    .map_err(|error| Refused::new(error, line.span()))
            }
            TestEvent::Recorded { capture, number } => {
                let found = self.play(&capture.value, number.value, observe)?;
                let missing = format_args!("the capture has no event {}", number.value);
                return Ok(found
                    .then_some(())
                    .ok_or_else(|| Refused::new(missing, number.span)));
            }
        };
        Ok(made.map(|(event, level)| {
            self.observe(&event, level, &categories, observe);
        }))
    }

    fn observe(
        &self,
        event: &Event,
        level: Level,
        categories: &CategoryTree,
        observe: &mut dyn FnMut(&SentEvent<'_>, ExportContext<'_>),
    ) {
        let sent = SentEvent {
            level,
            categories,
            ..SentEvent::alone(event)
        };
        let context = ExportContext {
            host: &self.hostname,
            received_at: sent.event.sent().unwrap_or(sent.event.created()),
        };
        observe(&sent, context);
    }

    /// Plays a capture up to an event; returns whether the event exists.
    fn play(
        &mut self,
        path: &[u8],
        wanted: u64,
        observe: &mut dyn FnMut(&SentEvent<'_>, ExportContext<'_>),
    ) -> Result<bool, Failure> {
        let file = Path::new(std::ffi::OsStr::from_bytes(path));
        let recording = match self.captures.entry(path.to_vec()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Recording::open(file)?),
        };
        let (mut number, hostname) = (0_u64, &self.hostname);
        let mut player = Player::new(self.dialect);
        player.play_events(recording, |sent, received_at| {
            number += 1;
            if number < wanted {
                return ControlFlow::Continue(());
            }
            let host = hostname.as_slice();
            observe(sent, ExportContext { host, received_at });
            ControlFlow::Break(())
        })?;
        Ok(number == wanted)
    }
}

/// Returns the categories in an event's text form.
fn mentioned(line: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let arguments = line.split(|byte| *byte == b'\t');
    let named = arguments.filter_map(|argument| argument.strip_prefix(b"c"));
    named.map(|name| escape::unescape(name).into_owned())
}
