//! Kept events of all workers, merged in the order of their receipt.

use std::{collections::HashMap, sync::Arc};

use fantail_event::{
    Ancestor, CategoryTree, Dialect, EffectiveBuffers, Event, Parser, SentEvent, Timestamp,
};
use fantail_format::ExportContext;
use fantail_wire::{Command, reader::TapLine};
use tokio::sync::mpsc;

use crate::{
    handle::TapView,
    memory::Reservation,
    worker::recent::{Kept, RecentSnapshot, Segment},
};

/// The size of a piece of the answer.
const PIECE_BYTES: usize = 64 << 10;

/// The number of pieces that wait for the client.
pub(super) const WAITING_PIECES: usize = 2;

/// A request for kept events.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) view: TapView,
    pub(crate) dialect: Dialect,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    /// The memory that is reserved for the snapshots of workers.
    pub(crate) memory: Reservation,
}

impl Past {
    /// Shows or counts the events of all workers. Returns the number of events that
    /// cannot be read because their categories are no longer registered. Stops if the
    /// client has disconnected.
    pub(crate) fn run(self, workers: Vec<RecentSnapshot>, pieces: &mpsc::Sender<Vec<u8>>) -> u64 {
        let mut unreadable = 0;
        // Keeps the memory reserved until all events are read.
        let _memory = &self.memory;
        let mut cursors: Vec<Cursor> = workers.into_iter().map(Cursor::new).collect();
        let mut buffers = EffectiveBuffers::new();
        let (mut piece, mut event) = (Vec::new(), Vec::new());
        while let Some(cursor) = earliest(&mut cursors) {
            let is_wanted = cursor
                .time()
                .is_some_and(|time| (self.since..=self.until).contains(&time));
            if !is_wanted {
                cursor.skip();
                continue;
            }
            let is_read = cursor.take(self.dialect, |sent, received_at| match &self.view {
                TapView::Counts(counter) => counter.observe(sent),
                TapView::Events(tap) => {
                    if tap.filter.matches(sent) {
                        let host = &b""[..];
                        let context = ExportContext { host, received_at };
                        event.clear();
                        tap.format(&buffers.gather(sent), context, &mut event);
                        TapLine::Event(&event).write(&mut piece);
                    }
                }
            });
            unreadable += u64::from(!is_read);
            if piece.len() >= PIECE_BYTES
                && pieces.blocking_send(std::mem::take(&mut piece)).is_err()
            {
                break;
            }
        }
        if !piece.is_empty() {
            // Fails if the client has disconnected.
            let _ = pieces.blocking_send(piece);
        }
        unreadable
    }
}

/// Returns the worker whose next event was received first.
fn earliest(cursors: &mut [Cursor]) -> Option<&mut Cursor> {
    let with_events = cursors.iter_mut().filter(|cursor| cursor.time().is_some());
    with_events.min_by_key(|cursor| cursor.time())
}

/// A position in the kept events of one worker.
struct Cursor {
    /// The segments that are not read yet, newest first.
    segments: Vec<Arc<Segment>>,
    offset: usize,
    categories: CategoryTree,
    parser: Parser,
    /// The ancestors in the current segment by their offsets; `None` for an ancestor
    /// that cannot be read.
    ancestors: HashMap<u32, Option<Event>>,
    time: Option<Timestamp>,
}

impl Cursor {
    fn new(snapshot: RecentSnapshot) -> Self {
        let mut categories = CategoryTree::default();
        // Each parent is registered before its children.
        for (name, parent) in &snapshot.categories {
            let known = categories.register(name, parent.as_deref());
            debug_assert!(known.is_ok(), "they are those of a tree");
        }
        let mut segments = snapshot.segments;
        segments.reverse();
        let mut cursor = Self {
            segments,
            offset: 0,
            categories,
            parser: Parser::new(),
            ancestors: HashMap::new(),
            time: None,
        };
        cursor.find_time();
        cursor
    }

    /// Returns the time of receipt of the next event.
    fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// Finds the next event, in this segment or a later one.
    fn find_time(&mut self) {
        while let Some(segment) = self.segments.last() {
            if let Some((kept, _)) = segment.next_event(self.offset) {
                self.time = Some(kept.received_at);
                return;
            }
            self.segments.pop();
            self.offset = 0;
            self.ancestors.clear();
        }
        self.time = None;
    }

    fn skip(&mut self) {
        self.take_kept(|_, _| true);
    }

    /// Passes the next event to `on`; returns `false` if the event cannot be read.
    fn take(&mut self, dialect: Dialect, on: impl FnOnce(&SentEvent<'_>, Timestamp)) -> bool {
        self.take_kept(|rebuild, kept| rebuild.pass_on(dialect, kept, on).is_some())
    }

    fn take_kept(&mut self, on: impl FnOnce(&mut Rebuild<'_>, &Kept<'_>) -> bool) -> bool {
        let Some(segment) = self.segments.last().cloned() else {
            return true;
        };
        let mut is_read = true;
        if let Some((kept, behind)) = segment.next_event(self.offset) {
            let mut rebuild = Rebuild {
                segment: &segment,
                categories: &self.categories,
                parser: &mut self.parser,
                ancestors: &mut self.ancestors,
            };
            is_read = on(&mut rebuild, &kept);
            self.offset = behind;
        }
        self.find_time();
        is_read
    }
}

/// Recreates events from the records of a segment.
struct Rebuild<'c> {
    segment: &'c Segment,
    categories: &'c CategoryTree,
    parser: &'c mut Parser,
    ancestors: &'c mut HashMap<u32, Option<Event>>,
}

impl Rebuild<'_> {
    /// Passes the event to `on` as it was sent; returns `None` if it cannot be read.
    fn pass_on(
        &mut self,
        dialect: Dialect,
        kept: &Kept<'_>,
        on: impl FnOnce(&SentEvent<'_>, Timestamp),
    ) -> Option<()> {
        for offset in kept.ancestors().into_iter().flatten() {
            self.ancestors.entry(offset).or_insert_with(|| {
                let text = self.segment.ancestor(offset)?;
                let event = self.parser.parse(text, self.categories, dialect).ok()?;
                Some(event.to_event())
            });
        }
        let ancestors = &*self.ancestors;
        let [parents, global] = kept.ancestors().map(|offsets| {
            let events = offsets.map(|offset| ancestors.get(&offset)?.as_ref());
            let events = events.map(|event| {
                let live = None;
                Some(Ancestor {
                    event: event?,
                    live,
                })
            });
            events.collect::<Option<Vec<_>>>()
        });
        let line = kept.line.strip_suffix(b"\r").unwrap_or(kept.line);
        let Ok(
            Command::Event {
                level, event: text, ..
            }
            | Command::Begin {
                level, event: text, ..
            },
        ) = Command::parse(line)
        else {
            return None;
        };
        let event = self.parser.parse(text, self.categories, dialect).ok()?;
        let sent = SentEvent {
            level,
            event,
            parents: &parents?,
            global: &global?,
            categories: self.categories,
        };
        on(&sent, kept.received_at);
        Some(())
    }
}
