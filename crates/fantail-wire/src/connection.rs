//! The state of one client's connection.

mod closing;
mod restart;

use fantail_event::{
    Activity, Ancestor, CategoryId, CategoryTree, Dialect, EventRef, Level, LiveEvents, LiveId,
    SentEvent, internal::EventPositions as _, text,
};
use hashbrown::HashMap;
use smallvec::SmallVec;

pub use self::closing::Closing;
use crate::{Command, Handshake, Intake, WireError, WireErrorKind};

/// Ancestors of an event that need no allocation.
const INLINE_ANCESTORS: usize = 8;

/// Categories for which memory is allocated at once; Dovecot's processes register
/// 4 to 12 each.
const USUAL_CATEGORIES: usize = 16;

/// Limits of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Events that are live at one time; 100,000 by default.
    pub live_events: usize,
    /// Approximate bytes of these events; 64 MiB by default.
    pub live_bytes: usize,
    /// Ancestors of one event; 255 by default.
    pub ancestors: usize,
    /// Categories that the client registers; 256 by default. Dovecot has some 60.
    pub categories: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            live_events: 100_000,
            live_bytes: 64 << 20,
            ancestors: 255,
            categories: 256,
        }
    }
}

/// The state of one client's connection: its handshake, and the ids of its live
/// events, which the [`Intake`] owns.
///
/// End a connection with [`close`](Self::close): dropping it leaves its live events
/// and categories in the intake.
///
/// ```
/// use fantail_event::{Activity, Dialect};
/// use fantail_wire::{Connection, Intake, Limits};
///
/// let mut intake = Intake::new();
/// let mut connection = Connection::new(Dialect::V2_4, Limits::default());
/// let mut names = Vec::new();
/// for line in [
///     &b"VERSION\tstats-client\t4\t0"[..],
///     b"EVENT\t0\t0\t1\t1795328191\t0\tnlogin_finished\tSuser\tanna",
/// ] {
///     connection.handle(line, &mut intake, |activity| {
///         if let Activity::Sent { event, .. } = activity {
///             names.push(event.event.name().map(<[u8]>::to_vec));
///         }
///     })?;
/// }
/// assert_eq!(names, [Some(b"login_finished".to_vec())]);
/// connection.close(&mut intake, |_| {});
/// # Ok::<(), fantail_wire::WireError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    dialect: Dialect,
    limits: Limits,
    greeted: bool,
    live: HashMap<u64, LiveId>,
    /// The categories that the client registered, ascending.
    categories: Vec<CategoryId>,
    /// The number of this connection's events in the intake and their bytes; ended
    /// events with live children count.
    events: usize,
    bytes: usize,
}

impl Connection {
    /// Creates a connection that waits for the handshake.
    #[must_use]
    pub fn new(dialect: Dialect, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            greeted: false,
            live: HashMap::new(),
            categories: Vec::new(),
            events: 0,
            bytes: 0,
        }
    }

    /// Returns the number of events that the intake keeps for this connection: live
    /// ones, and ended ones with live children.
    #[must_use]
    pub const fn live_events(&self) -> usize {
        self.events
    }

    /// Returns the approximate bytes of these events.
    #[must_use]
    pub const fn live_bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the bytes of all that is kept for this connection. What connections
    /// share is counted by [`CategoryTree::size`] and [`LiveEvents::spare_bytes`].
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.bytes
            + self.live.allocation_size()
            + self.categories.capacity() * size_of::<CategoryId>()
    }

    /// Handles one line without its LF; a CR at its end is dropped. Calls `on` with
    /// the activity unless the line is a handshake or a category.
    ///
    /// The event of a `BEGIN` is live before `on` gets it: an event that the limits
    /// refuse is neither counted nor exported. Handling an `EVENT` allocates nothing
    /// once events of its size were handled.
    ///
    /// # Errors
    /// Dovecot would not accept the line, or a limit is reached. The caller must
    /// [close](Self::close) the connection and read no further.
    #[inline]
    pub fn handle(
        &mut self,
        line: &[u8],
        intake: &mut Intake,
        on: impl FnOnce(Activity<'_>),
    ) -> Result<(), WireError> {
        // As Dovecot does.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !self.greeted {
            return self.greet(line);
        }
        let Intake {
            categories,
            parser,
            live,
        } = intake;
        match Command::parse(line)? {
            Command::Event {
                global,
                parent,
                level,
                event,
            } => {
                let global = self.resolve(global, WireErrorKind::UnknownGlobal)?;
                let above = [global, self.resolve(parent, WireErrorKind::UnknownParent)?];
                let event = parser.parse(event, categories, self.dialect)?;
                send(above, level, (event, None), (live, categories), on);
                Ok(())
            }
            Command::Begin {
                id,
                parent,
                level,
                event,
            } => {
                if self.live.contains_key(&id) {
                    return Err(WireErrorKind::DuplicateId(id).into());
                }
                let parent = self.resolve(parent, WireErrorKind::UnknownParent)?;
                let event = parser.parse(event, categories, self.dialect)?;
                let begun = Some(self.begin(id, parent, event, live)?);
                send(
                    [None, parent],
                    level,
                    (event, begun),
                    (live, categories),
                    on,
                );
                Ok(())
            }
            Command::Update { id, parent, event } => {
                let update = parser.parse(event, categories, self.dialect)?;
                let id = self.update(id, parent, update, live)?;
                on(Activity::Updated { id, update });
                Ok(())
            }
            Command::End { id } => {
                let id = self.live.remove(&id).ok_or(WireErrorKind::UnknownId(id))?;
                self.end(id, (live, categories), on);
                Ok(())
            }
            Command::Category { name, parent } => {
                self.register(&name, parent.as_deref(), categories)
            }
        }
    }

    /// Ends the connection and its live events, in the order of their ids. Their
    /// memory is free for other events, and its categories can be dropped when the
    /// tree is full.
    pub fn close(self, intake: &mut Intake, mut on: impl FnMut(Activity<'_>)) {
        let mut closing = self.begin_close();
        while closing.end_next(intake, &mut on) {}
    }

    /// Begins to end the connection: its live events are ended one by one, so that
    /// other connections can be handled in between.
    #[must_use]
    pub fn begin_close(self) -> Closing {
        Closing::new(self)
    }

    #[cold]
    fn register(
        &mut self,
        name: &[u8],
        parent: Option<&[u8]>,
        categories: &mut CategoryTree,
    ) -> Result<(), WireError> {
        let id = categories.acquire(name, parent)?;
        match self.categories.binary_search(&id) {
            Ok(_) => categories.release(id),
            Err(_) if self.categories.len() >= self.limits.categories => {
                categories.release(id);
                return Err(WireErrorKind::TooManyCategories.into());
            }
            Err(at) => {
                if at == 0 {
                    self.categories.reserve(USUAL_CATEGORIES);
                }
                self.categories.insert(at, id);
            }
        }
        Ok(())
    }

    fn greet(&mut self, line: &[u8]) -> Result<(), WireError> {
        Handshake::parse(line)?;
        self.greeted = true;
        Ok(())
    }

    /// The live event with this id; `None` for the id 0.
    #[inline]
    fn resolve(
        &self,
        id: u64,
        unknown: fn(u64) -> WireErrorKind,
    ) -> Result<Option<LiveId>, WireError> {
        if id == 0 {
            return Ok(None);
        }
        match self.live.get(&id) {
            Some(live) => Ok(Some(*live)),
            None => Err(unknown(id).into()),
        }
    }

    fn begin(
        &mut self,
        id: u64,
        parent: Option<LiveId>,
        event: EventRef<'_>,
        live: &mut LiveEvents,
    ) -> Result<LiveId, WireError> {
        let ancestors = parent.map_or(0, |parent| live.ancestor_count(parent) as usize + 1);
        if ancestors > self.limits.ancestors {
            return Err(WireErrorKind::TooDeep.into());
        }
        if self.events >= self.limits.live_events {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        let begun = live.insert(parent, event);
        let begun = begun.map_err(|_| WireErrorKind::TooManyEvents)?;
        self.live.insert(id, begun);
        self.events += 1;
        self.bytes += live.size(begun);
        self.check_bytes()?;
        Ok(begun)
    }

    fn update(
        &mut self,
        id: u64,
        parent: u64,
        update: EventRef<'_>,
        live: &mut LiveEvents,
    ) -> Result<LiveId, WireError> {
        // As in Dovecot, an unknown parent counts as none.
        let parent = self.live.get(&parent).copied().filter(|_| parent != 0);
        let known = self.live.get_mut(&id);
        let known = known.ok_or(WireErrorKind::UnknownId(id))?;
        if !live.has_parent(*known, parent) {
            return Err(WireErrorKind::ChangedParent.into());
        }
        let before = live.size(*known);
        let updated = live.update(*known, update);
        let updated = updated.map_err(|_| WireErrorKind::TooManyEvents)?;
        *known = updated;
        self.bytes = self.bytes - before + live.size(updated);
        let fields = live.get(updated).map_or(0, EventRef::field_count);
        if fields > text::MAX_FIELDS {
            return Err(WireErrorKind::TooManyEvents.into());
        }
        self.check_bytes()?;
        Ok(updated)
    }

    fn check_bytes(&self) -> Result<(), WireError> {
        match self.bytes > self.limits.live_bytes {
            true => Err(WireErrorKind::TooManyEvents.into()),
            false => Ok(()),
        }
    }

    /// Ends an event whose id was removed.
    fn end(
        &mut self,
        id: LiveId,
        (live, categories): (&mut LiveEvents, &CategoryTree),
        on: impl FnOnce(Activity<'_>),
    ) {
        if let Some(event) = live.get(id) {
            on(Activity::Ended {
                id,
                event,
                categories,
            });
        }
        let removed = live.end(id);
        self.events -= removed.events;
        self.bytes -= removed.bytes;
    }
}

/// Calls `on` with an event and all that it inherits from.
#[inline]
fn send(
    [global, parent]: [Option<LiveId>; 2],
    level: Level,
    (event, begun): (EventRef<'_>, Option<LiveId>),
    (live, categories): (&LiveEvents, &CategoryTree),
    on: impl FnOnce(Activity<'_>),
) {
    let mut parents = SmallVec::<[Ancestor<'_>; INLINE_ANCESTORS]>::new();
    let mut globals = SmallVec::<[Ancestor<'_>; INLINE_ANCESTORS]>::new();
    // `extend` would check the capacity twice per element.
    live.ancestors(parent)
        .for_each(|ancestor| parents.push(ancestor));
    live.ancestors(global)
        .for_each(|ancestor| globals.push(ancestor));
    on(Activity::Sent {
        event: SentEvent {
            level,
            event,
            parents: &parents,
            global: &globals,
            categories,
        },
        begun,
    });
}
