//! The memory that a worker has reserved for what its clients make it keep.

use fantail_engine::Engine;
use fantail_event::CategoryTree;
use fantail_wire::Intake;

use crate::memory::{Memory, Part, Reservation, STEP_BYTES};

/// Bytes of a connection that has sent nothing: twice its seat, because the table of
/// seats doubles when it is full.
pub(crate) const CONNECTION_BYTES: usize = 1 << 10;

/// Bytes of categories that are reserved beyond those that are there: more than a
/// client may register between two looks at the memory.
const CATEGORY_BYTES: usize = 2 * STEP_BYTES;

/// The reservations of a worker.
///
/// They follow in steps what is kept, so that few events change them.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Bytes that all connections hold, each for itself.
    held: usize,
    connections: Account,
    sessions: Account,
    categories: Reservation,
}

#[derive(Debug)]
struct Account {
    /// Bytes after the last look.
    kept: usize,
    reserved: Reservation,
}

impl Account {
    fn new(memory: &Memory, part: Part) -> Self {
        Self {
            kept: 0,
            reserved: memory.budget(part).reserve_anyway(0),
        }
    }

    /// Returns whether there is memory for `kept` bytes, or they have not
    /// grown.
    #[inline]
    fn follow(&mut self, kept: usize) -> bool {
        let grew = kept > self.kept;
        self.kept = kept;
        self.reserved.follow(kept) || !grew
    }
}

impl Accounts {
    pub(crate) fn new(memory: &Memory) -> Self {
        Self {
            held: 0,
            connections: Account::new(memory, Part::Connections),
            sessions: Account::new(memory, Part::Sessions),
            categories: memory.budget(Part::Categories).reserve_anyway(0),
        }
    }

    /// Counts what a connection holds now, instead of before.
    pub(crate) const fn replace(&mut self, before: usize, now: usize) {
        self.held = self.held + now - before;
    }

    /// Reserves the memory that is kept, or gives some back; returns whether there
    /// was enough for what has grown.
    pub(crate) fn settle(&mut self, intake: &mut Intake, engine: &Engine) -> bool {
        let connections = self.held + intake.live_events().spare_bytes() + engine.live_bytes();
        let fits = self.connections.follow(connections);
        let fits = self.sessions.follow(engine.session_bytes()) && fits;
        self.limit_categories(&mut intake.categories);
        fits
    }

    /// Lets clients register categories as long as there is memory; names that
    /// filters mention are not limited.
    fn limit_categories(&mut self, categories: &mut CategoryTree) {
        let kept = categories.size();
        if !self.categories.follow(kept + CATEGORY_BYTES) {
            self.categories.follow(kept);
        }
        categories.limit_bytes(self.categories.bytes());
    }

    /// Bytes that clients make the worker keep.
    pub(crate) fn kept(&self, intake: &Intake) -> usize {
        self.connections.kept + self.sessions.kept + intake.categories.size()
    }
}
