//! Opens and ends taps without a change of the configuration.

use std::sync::Arc;

use fantail_config::Settings;
use fantail_format::FieldRules;
use tokio::sync::oneshot;

use super::{Control, crashes};
use crate::{
    ControlError, ControlErrorKind,
    handle::{Live, OpenTap, TapView},
    worker::Message,
    worker::census::Census,
    worker::explain::TermCounter,
    worker::observers::{Observer, Observers},
    worker::recent::RecentSnapshot,
    worker::tap::{Audience, MAX_PAGE_TAPS, MAX_TAPS, Tap, TapRequest},
};

/// Returns the rules of all exporters: a field that an exporter may not write as it is
/// is not shown to browsers either.
pub(crate) fn rules_of_exporters(settings: &Settings) -> FieldRules {
    let mut rules = FieldRules::default();
    for exporter in &settings.exporters {
        rules.deny.extend_from_slice(&exporter.rules.deny);
        rules.masks.extend_from_slice(&exporter.rules.masks);
    }
    rules
}

/// Returns whether an exporter may not write all fields as they are.
pub(crate) fn hides_fields(settings: &Settings) -> bool {
    rules_of_exporters(settings) != FieldRules::default()
}

impl Control {
    /// Opens a tap. Each worker takes the snapshot of its kept events and starts to
    /// show live events in one step, so that no event is shown twice or left out.
    pub(super) fn tap(&mut self, wanted: &TapRequest) -> Result<OpenTap, ControlError> {
        let live = Live::clone(&self.live.borrow());
        let audience = wanted.audience;
        let limit = match audience {
            Audience::Readers => MAX_TAPS,
            Audience::Pages => MAX_PAGE_TAPS,
        };
        if wanted.live && live.observers.count(audience) >= limit {
            return Err(ControlErrorKind::TooManyTaps.into());
        }
        let dialect = live.settings.dialect;
        let parse = |text: &[u8]| {
            let filter = TapRequest::parse(text, dialect)?;
            crashes::check_filter(text, dialect)?;
            Ok::<_, ControlError>(filter)
        };
        let filter = parse(&wanted.filter)?;
        let ask_for = match wanted.ask_for.is_empty() {
            true => None,
            false => Some(Arc::new(parse(&wanted.ask_for)?)),
        };
        let number = self.next_tap;
        self.next_tap += 1;
        let mut observers = Observers::clone(&live.observers);
        let (view, mut events) = if wanted.explain {
            let counter = Arc::new(TermCounter::new(filter));
            let observer = Arc::clone(&counter);
            observers
                .counters
                .push(Observer::new(wanted, number, observer, ask_for));
            (TapView::Counts(counter), None)
        } else {
            let rules = match audience {
                Audience::Readers => FieldRules::default(),
                Audience::Pages => rules_of_exporters(&live.settings),
            };
            let (tap, events) = Tap::open(filter, wanted, dialect, rules)?;
            let observer = Arc::clone(&tap);
            observers
                .taps
                .push(Observer::new(wanted, number, observer, ask_for));
            (TapView::Events(tap), Some(events))
        };
        let mut recent = Vec::new();
        if wanted.live {
            recent = self.observe(live, observers, wanted.past);
        } else {
            events = None;
            if wanted.past {
                recent = self.tell_workers(&live.observers, true);
            }
        }
        Ok(OpenTap {
            number,
            view,
            events,
            recent,
        })
    }

    /// Ends a tap. Does nothing if the tap shows no live events.
    pub(super) fn untap(&self, number: u64) {
        let live = Live::clone(&self.live.borrow());
        let mut observers = Observers::clone(&live.observers);
        if observers.remove(number) {
            self.observe(live, observers, false);
        }
    }

    /// Starts to count the events of each name, or ends it with `None`.
    pub(super) fn take_census(&self, census: Option<Arc<Census>>) {
        let live = Live::clone(&self.live.borrow());
        let observers = Observers {
            census,
            ..Observers::clone(&live.observers)
        };
        self.observe(live, observers, false);
    }

    /// Replaces the observers of all workers.
    fn observe(
        &self,
        live: Live,
        observers: Observers,
        past: bool,
    ) -> Vec<oneshot::Receiver<RecentSnapshot>> {
        let observers = Arc::new(observers);
        let recent = self.tell_workers(&observers, past);
        drop(self.announce(Live { observers, ..live }));
        recent
    }

    /// Sends the observers to the workers and requests snapshots of their kept events.
    fn tell_workers(
        &self,
        observers: &Arc<Observers>,
        past: bool,
    ) -> Vec<oneshot::Receiver<RecentSnapshot>> {
        let mut recent = Vec::new();
        for worker in &self.workers {
            let reply = past.then(|| {
                let (reply, snapshot) = oneshot::channel();
                recent.push(snapshot);
                reply
            });
            let message = Message::Observers(Arc::clone(observers), reply);
            worker.inbox.send(message);
        }
        recent
    }
}
