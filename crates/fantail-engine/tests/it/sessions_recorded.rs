//! Sessions of the recordings of real Dovecots.

use std::collections::BTreeMap;

use fantail_engine::{Engine, ExportSink, Exported, RunningSessions};
use fantail_event::{Activity, Dialect, EventRef, ValueRef};
use fantail_wire::{
    Connection, Intake, Limits,
    capture::{Capture, RecordedConnection},
};

use super::{CONTEXT, recorded::test_data, settings};

/// What commands of 2.3 and of 2.4 say of bytes.
const BYTES_OUT: [&[u8]; 2] = [b"bytes_out", b"net_out_bytes"];

/// Counted by reading activities, without the engine.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    /// Roots that ended, by service.
    sessions: BTreeMap<String, u64>,
    /// Commands below them, and the bytes that these sent.
    commands: BTreeMap<String, u64>,
    bytes_out: BTreeMap<String, i64>,
}

fn add(sums: &mut BTreeMap<String, i64>, service: &str, fields: [Option<ValueRef<'_>>; 2]) {
    for field in fields {
        if let Some(ValueRef::Int(number)) = field {
            *sums.entry(service.to_owned()).or_default() += number;
        }
    }
}

/// The roots of one intake by the positions of the live events below them.
#[derive(Default)]
struct Roots(BTreeMap<(u32, u32), String>);

fn service(event: EventRef<'_>) -> Option<&'static str> {
    let services = ["imap", "lmtp", "pop3", "submission"];
    let mut found = services.into_iter();
    let is = |name: &str| event.categories().any(|own| own == name.as_bytes());
    found.find(|name| is(name)).or_else(|| {
        let has_user = event.field(b"user").is_some();
        (is("service:pop3") && has_user).then_some("pop3")
    })
}

impl Roots {
    fn count(&mut self, activity: &Activity<'_>, totals: &mut Totals) {
        match activity {
            Activity::Sent { event, begun } => {
                let root = event.parents.last().and_then(|root| root.live);
                let known = root.and_then(|root| self.0.get(&root.position())).cloned();
                if let (Some(id), None) = (begun, root)
                    && let Some(service) = service(event.event)
                {
                    self.0.insert(id.position(), service.to_owned());
                }
                let name = event.event.name().unwrap_or_default();
                let is_command = [
                    &b"imap_command_finished"[..],
                    b"pop3_command_finished",
                    b"smtp_server_command_finished",
                ]
                .contains(&name);
                if let (Some(service), None, true) = (known, begun, is_command) {
                    *totals.commands.entry(service.clone()).or_default() += 1;
                    let fields = BYTES_OUT.map(|key| event.event.field(key));
                    add(&mut totals.bytes_out, &service, fields);
                }
            }
            Activity::Ended { id, .. } => {
                if let Some(service) = self.0.remove(&id.position()) {
                    *totals.sessions.entry(service).or_default() += 1;
                }
            }
            Activity::Updated { .. } => {}
        }
    }
}

/// Adds up the summaries.
#[derive(Default)]
struct Summaries(Totals);

impl ExportSink for Summaries {
    fn export(&mut self, exported: Exported<'_>) {
        let event = exported.event;
        assert_eq!(event.name(), Some(&b"fantail_session_finished"[..]));
        let Some(ValueRef::Str(service)) = event.field(b"service") else {
            panic!("{exported:?}");
        };
        let service = String::from_utf8_lossy(service).into_owned();
        *self.0.sessions.entry(service.clone()).or_default() += 1;
        if let Some(ValueRef::Int(commands)) = event.field(b"commands")
            && commands > 0
        {
            *self.0.commands.entry(service.clone()).or_default() += commands.cast_unsigned();
        }
        let fields = BYTES_OUT.map(|key| event.field(key));
        add(&mut self.0.bytes_out, &service, fields);
    }
}

fn play(capture: &Capture<'_>, dialect: Dialect, mut on: impl FnMut(&Activity<'_>)) {
    let mut intake = Intake::new();
    let mut open: Vec<Connection> = Vec::new();
    let mut lines = Vec::new();
    for (at, connection) in capture.connections.iter().enumerate() {
        open.push(Connection::new(dialect, Limits::default()));
        let recorded = connection.lines.iter();
        lines.extend(recorded.map(|line| (line.number, at, line.line)));
    }
    // In the order of the recording; connections end after all.
    lines.sort_unstable();
    for (number, at, line) in lines {
        let handled = open[at].handle(line, &mut intake, |activity| on(&activity));
        assert_eq!(handled, Ok(()), "line {number}");
    }
    for connection in open {
        connection.close(&mut intake, |activity| on(&activity));
    }
    assert!(intake.live_events().is_empty());
}

#[track_caller]
fn check(name: &str, dialect: Dialect, sessions: &[(&str, u64)]) {
    let transport = match dialect {
        Dialect::V2_3 => "transport = drop",
        Dialect::V2_4 => "driver = drop",
    };
    let text = format!(
        "event_exporter none {{\n {transport}\n format = none\n}}\n\
         metric sessions {{\n filter = event=fantail_session_finished\n exporter = none\n}}\n"
    );
    let mut engine = Engine::new(&settings(text.as_bytes(), dialect)).unwrap();
    let bytes = test_data(name);
    let capture = Capture::parse(&bytes);
    let is_closed = |connection: &RecordedConnection<'_>| connection.closed.is_some();
    assert!(capture.connections.iter().any(is_closed));
    let (mut roots, mut expected) = (Roots::default(), Totals::default());
    let mut summaries = Summaries::default();
    let mut most = 0;
    play(&capture, dialect, |activity| {
        engine.step(activity, CONTEXT, &mut summaries);
        roots.count(activity, &mut expected);
        let running = engine.running_sessions();
        most = most.max(running.sessions.iter().sum::<u64>());
    });
    assert_eq!(summaries.0, expected);
    let found: Vec<(&str, u64)> = expected.sessions.iter().map(|(k, n)| (&**k, *n)).collect();
    assert_eq!(found, sessions);
    assert!(most > 1 && most < 40, "{most} sessions at one time");
    assert_eq!(engine.running_sessions(), RunningSessions::default());
    // Each session that Dovecot counts: an IMAP session has some commands.
    assert!(
        expected.commands["imap"] > 4 * expected.sessions["imap"],
        "{expected:?}"
    );
    assert!(expected.bytes_out["imap"] > 1_000, "{expected:?}");
}

/// Two of its twelve clients of POP3 did not log in.
#[test]
fn dovecot_2_3() {
    let sessions = [("imap", 40), ("lmtp", 54), ("pop3", 10)];
    check("dovecot-2.3.19.tsv", Dialect::V2_3, &sessions);
}

#[test]
fn dovecot_2_4() {
    let sessions = [("imap", 40), ("lmtp", 58), ("pop3", 20)];
    check("dovecot-2.4.1.tsv", Dialect::V2_4, &sessions);
}
