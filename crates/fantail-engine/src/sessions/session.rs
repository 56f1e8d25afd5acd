//! One session, and the summary at its end.

use fantail_event::{
    DURATION, Dialect, Event, EventBuilder, EventRef, Timestamp, ValueRef, internal::allocated,
};

use super::{SESSION_FINISHED, SESSION_SERVICES, SessionRules};

/// The events that are counted as commands.
pub(super) const COMMANDS: [&[u8]; 3] = [
    b"imap_command_finished",
    b"pop3_command_finished",
    b"smtp_server_command_finished",
];

/// The positions of two services among [`SESSION_SERVICES`].
const POP3: usize = 2;
const SUBMISSION: usize = 3;

/// Categories of 2.3 by which services are known that have no category of their name.
pub(super) const OTHER_CATEGORIES: [&[u8]; 3] =
    [b"service:pop3", b"service:submission", b"smtp-server"];

/// Fields of the root that belong to the root alone.
const SESSION: &[u8] = b"session";

#[derive(Debug)]
pub(super) struct Session {
    /// The position of its service among the [`SESSION_SERVICES`].
    pub(super) service: usize,
    /// The first event below the root that names the session, if the root does
    /// not: LMTP's root knows nothing of its client.
    client: Option<Event>,
    commands: u64,
    /// Commands that began and did not end.
    pub(super) running: u64,
    sums: Vec<Option<i64>>,
}

/// The service of a session whose root is this event without parent.
pub(super) fn service_of(event: EventRef<'_>) -> Option<usize> {
    let is = |name: &[u8]| event.categories().any(|own| own == name);
    let named = SESSION_SERVICES.iter().position(|name| is(name.as_bytes()));
    named.or_else(|| {
        // 2.3 has no category for these: the root of POP3 is that of its mail
        // user, the root of submission that of the SMTP server in its process.
        if is(b"service:pop3") && event.field(b"user").is_some() {
            Some(POP3)
        } else if is(b"service:submission") && is(b"smtp-server") {
            Some(SUBMISSION)
        } else {
            None
        }
    })
}

/// Returns whether a live event is a running command.
pub(super) fn is_command(event: EventRef<'_>) -> bool {
    event.field(b"cmd_name").is_some()
}

impl Session {
    pub(super) fn new(service: usize, rules: &SessionRules) -> Self {
        Self {
            service,
            client: None,
            commands: 0,
            running: 0,
            sums: vec![None; rules.sums.len()],
        }
    }

    /// Remembers the first event that names the session; returns the bytes that it
    /// takes.
    pub(super) fn learn(&mut self, event: EventRef<'_>) -> usize {
        if self.client.is_some() || event.field(SESSION).is_none() {
            return 0;
        }
        let client = event.to_event();
        let bytes = client.size();
        self.client = Some(client);
        bytes
    }

    /// The bytes of the boxed session.
    pub(super) fn held_bytes(&self) -> usize {
        allocated(size_of::<Self>())
            + allocated(size_of_val(self.sums.as_slice()))
            + self.client.as_ref().map_or(0, Event::size)
    }

    /// Counts an event that was sent below the root.
    pub(super) fn count(&mut self, event: EventRef<'_>, rules: &SessionRules) {
        let name = event.name();
        if !COMMANDS.iter().any(|command| name == Some(command)) {
            return;
        }
        self.commands += 1;
        for (sum, field) in self.sums.iter_mut().zip(&rules.sums) {
            if let Some(ValueRef::Int(number)) = event.field(field) {
                *sum = Some(sum.unwrap_or(0).saturating_add(number));
            }
        }
    }

    /// The summary: the root as it was at last, the fields of its client, and
    /// what was counted. `None` if it would be too large.
    pub(super) fn finish(
        self,
        root: EventRef<'_>,
        rules: &SessionRules,
        dialect: Dialect,
        now: Timestamp,
    ) -> Option<Event> {
        let service = SESSION_SERVICES.get(self.service).copied()?;
        let mut summary = EventBuilder::from(root.to_event())
            .name(SESSION_FINISHED)
            .sent(now);
        if let Some(client) = self.client.filter(|_| root.field(SESSION).is_none()) {
            for (key, value) in client.as_event_ref().fields() {
                if key != DURATION && root.field(key).is_none() {
                    summary = summary.field(key, value);
                }
            }
        }
        summary = summary.field("service", service);
        if self.service != POP3 || dialect != Dialect::V2_3 {
            let commands = i64::try_from(self.commands).unwrap_or(i64::MAX);
            summary = summary.field("commands", commands);
        }
        for (sum, field) in self.sums.into_iter().zip(&rules.sums) {
            if let Some(sum) = sum {
                summary = summary.field(field, sum);
            }
        }
        summary.build().ok()
    }
}
