//! The event that is derived when a session ends, and what is running.

use std::sync::Arc;

use fantail_engine::{Engine, ExporterId, ObserverId, Plan, RunningSessions, SessionRules};
use fantail_event::Dialect::{self, V2_3, V2_4};
use fantail_wire::Intake;

use super::{Client, Recorded, settings, table};

/// The metric that asks for sessions, and one that counts commands.
fn configuration(dialect: Dialect) -> String {
    let (transport, level) = match dialect {
        V2_3 => (
            "transport = drop\n format_args = time-unix",
            "group_by = service",
        ),
        V2_4 => (
            "driver = drop\n time_format = unix",
            "group_by service {\n }",
        ),
    };
    format!(
        "event_exporter json {{\n {transport}\n format = json\n}}\n\
         metric sessions {{\n filter = event=fantail_session_finished\n exporter = json\n \
         exporter_include = name fields categories\n}}\n\
         metric sums {{\n filter = event=fantail_session_finished\n \
         fields = commands bytes_in bytes_out\n {level}\n}}\n\
         metric commands {{\n filter = event=*_command_finished\n}}\n"
    )
}

/// An engine with a client.
struct Server {
    engine: Engine,
    intake: Intake,
    client: Option<Client>,
    recorded: Recorded,
}

impl Server {
    fn new(dialect: Dialect) -> Self {
        Self::with_plan(
            dialect,
            Plan::new(&settings(configuration(dialect).as_bytes(), dialect)).unwrap(),
        )
    }

    fn with_plan(dialect: Dialect, plan: Plan) -> Self {
        let mut engine = Engine::with_plan(Arc::new(plan));
        engine.observe(["event=fantail_*".parse().unwrap()]);
        let mut intake = Intake::new();
        let client = Some(Client::new(&mut intake, dialect));
        let mut server = Self {
            engine,
            intake,
            client,
            recorded: Recorded::default(),
        };
        for name in [
            "imap",
            "lmtp",
            "pop3",
            "submission",
            "smtp-server",
            "smtp-client",
        ] {
            server.play(&[
                &format!("CATEGORY\t{name}"),
                &format!("CATEGORY\tservice:{name}"),
            ]);
        }
        server
    }

    #[track_caller]
    fn play(&mut self, lines: &[&str]) {
        let feed = (&mut self.intake, &mut self.engine);
        let client = self.client.as_mut().unwrap();
        client.play(lines, feed, &mut self.recorded);
    }

    fn close(&mut self) {
        let feed = (&mut self.intake, &mut self.engine);
        self.client.take().unwrap().close(feed, &mut self.recorded);
        assert!(self.intake.live_events().is_empty());
    }

    /// The summaries that were exported.
    fn summaries(&self) -> Vec<String> {
        let exports = self.recorded.exports.iter();
        let text = |payload: &[u8]| String::from_utf8_lossy(payload).into_owned();
        exports.map(|(_, payload)| text(payload)).collect()
    }
}

fn running(sessions: [u64; 4], commands: [u64; 4]) -> RunningSessions {
    RunningSessions { sessions, commands }
}

/// Plays the life of sessions; each that ended gave one of these summaries.
#[track_caller]
fn check(dialect: Dialect, lines: &[&str], expected: &[&str]) -> Server {
    let mut server = Server::new(dialect);
    server.play(lines);
    assert_eq!(server.summaries(), expected);
    // Metrics, exporters and observers had the same.
    let observed = server.recorded.observed.iter();
    assert!(observed.clone().all(|it| it.0 == ObserverId(0)));
    assert_eq!(observed.len(), expected.len());
    let dump = table(&server.engine.snapshot());
    let line = format!("\nsessions\tduration\t{}", expected.len());
    assert!(dump.contains(&line), "{dump}");
    server
}

/// A session with two commands, one of them below a mailbox's event.
const IMAP: [&str; 6] = [
    "BEGIN\t7\t0\t0\t1795328118\t0\tcimap\tSuser\tanna\tSsession\tS1",
    "EVENT\t0\t7\t0\t1795328118\t0\tnimap_command_finished\tScmd_name\tLOGIN\tIbytes_in\t5\tIbytes_out\t30",
    "BEGIN\t8\t7\t0\t1795328118\t0\tScmd_name\tFETCH",
    "EVENT\t0\t8\t0\t1795328118\t0\tnimap_command_finished\tIbytes_in\t7\tIbytes_out\t12",
    "EVENT\t0\t7\t0\t1795328118\t0\tnmail_opened\tIbytes_in\t1000",
    "END\t8",
];

const ANNA: &str = "{\"event\":\"fantail_session_finished\",\"categories\":[\"imap\"],\"fields\":{\
    \"user\":\"anna\",\"session\":\"S1\",\"duration\":73000000,\"service\":\"imap\",\
    \"commands\":2,\"bytes_in\":12,\"bytes_out\":42}}";

#[test]
fn the_end_of_an_imap_session() {
    let lines = [&IMAP[..], &["END\t7"]].concat();
    for dialect in [V2_3, V2_4] {
        let server = check(dialect, &lines, &[ANNA]);
        let dump = table(&server.engine.snapshot());
        for line in [
            "\nsums_imap\tduration\t1\t73000000",
            "\nsums_imap\tcommands\t1\t2\t",
            "\nsums_imap\tbytes_in\t1\t12\t",
            "\nsums_imap\tbytes_out\t1\t42\t",
            "\ncommands\tduration\t2\t",
        ] {
            assert!(dump.contains(line), "{line}\n{dump}");
        }
        // Two commands, three other events that were sent, and the derived one.
        assert_eq!(server.engine.counters().events, 6);
    }
}

/// The root as it was at last: its fields and categories, its own sums.
#[test]
fn a_root_that_is_updated() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tcimap\tSuser\tanna",
        "UPDATE\t1\t0\t1795328119\t0\tcimap\tcpop3\tSuser\tberta\tIbytes_in\t5",
        "EVENT\t0\t1\t0\t1795328118\t0\tnimap_command_finished\tIbytes_out\t3\tSnet_in_bytes\tx",
        "END\t1",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\"categories\":[\"imap\",\"pop3\"],\
        \"fields\":{\"user\":\"berta\",\"duration\":72000000,\"bytes_in\":5,\"service\":\"imap\",\
        \"commands\":1,\"bytes_out\":3}}";
    check(V2_4, &lines, &[expected]);
}

/// LMTP's root knows nothing of its client: the first event below it that names a
/// session does, however deep it is.
#[test]
fn lmtp_has_its_client_from_below() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tclmtp\tSprotocol\tlmtp",
        "BEGIN\t2\t1\t0\t1795328118\t0\tSprotocol\tother",
        "BEGIN\t3\t2\t0\t1795328118\t0\tSsession\tL1\tSprotocol\tx\tSconnection_id\ty",
        "BEGIN\t4\t3\t0\t1795328118\t0\tSsession\tL1:2\tSuser\tanna",
        "EVENT\t0\t3\t0\t1795328118\t0\tnsmtp_server_command_finished\tInet_in_bytes\t9",
        "END\t4",
        "END\t3",
        "END\t2",
        "END\t1",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\"categories\":[\"lmtp\"],\"fields\":{\
        \"protocol\":\"lmtp\",\"duration\":73000000,\"session\":\"L1\",\"connection_id\":\"y\",\
        \"service\":\"lmtp\",\"commands\":1,\"net_in_bytes\":9}}";
    check(V2_4, &lines, &[expected]);
    // Learned from an update.
    let mut lines = lines;
    lines[2] = "BEGIN\t3\t2\t0\t1795328118\t0";
    lines[3] = "UPDATE\t3\t2\t1795328118\t0\tSsession\tL1\tSconnection_id\ty";
    lines[5] = "EVENT\t0\t3\t0\t1795328118\t0\tnother\tSsession\tL3";
    check(V2_4, &lines, &[expected]);
}

/// Of a root that names its session, no other event's fields are taken.
#[test]
fn a_root_that_names_its_session_keeps_to_itself() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tcimap\tSsession\tS1",
        "BEGIN\t2\t1\t0\t1795328118\t0\tSsession\tS2\tSuser\tanna",
        "END\t2",
        "END\t1",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\"categories\":[\"imap\"],\"fields\":{\
        \"session\":\"S1\",\"duration\":73000000,\"service\":\"imap\",\"commands\":0}}";
    check(V2_4, &lines, &[expected]);
}

/// The submission process of 2.3 has the root of an SMTP server alone; its login
/// process, and the client of the relay, have others.
#[test]
fn submission_of_2_3_is_known_by_its_server() {
    let lines = [
        "CATEGORY\tservice:submission-login",
        "BEGIN\t1\t0\t0\t1795328118\t0\tcservice:submission\tcsmtp-server\tSprotocol\tsmtp",
        "BEGIN\t2\t1\t0\t1795328118\t0\tSsession\tM1",
        "EVENT\t0\t2\t0\t1795328118\t0\tnsmtp_server_command_finished",
        "BEGIN\t3\t0\t0\t1795328118\t0\tcservice:submission\tcsmtp-client\tSsession\tM2",
        "BEGIN\t4\t0\t0\t1795328118\t0\tcservice:submission-login\tcsmtp-server\tSsession\tM3",
        "END\t2",
        "END\t1",
        "END\t3",
        "END\t4",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\
        \"categories\":[\"service:submission\",\"smtp-server\"],\"fields\":{\
        \"protocol\":\"smtp\",\"duration\":73000000,\"session\":\"M1\",\"service\":\"submission\",\
        \"commands\":1}}";
    check(V2_3, &lines, &[expected]);
}

#[test]
fn pop3_of_2_4_has_commands() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tcpop3\tSuser\tanna",
        "EVENT\t0\t1\t0\t1795328118\t0\tnpop3_command_finished\tIbytes_out\t5",
        "EVENT\t0\t1\t0\t1795328118\t0\tnpop3_command_finished\tIbytes_out\t6",
        "END\t1",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\"categories\":[\"pop3\"],\"fields\":{\
        \"user\":\"anna\",\"duration\":73000000,\"service\":\"pop3\",\"commands\":2,\
        \"bytes_out\":11}}";
    check(V2_4, &lines, &[expected]);
}

/// 2.3 sends no commands of POP3, so that the summary says nothing of them; the
/// root is the event of the mail user.
#[test]
fn pop3_of_2_3_has_none() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tcservice:pop3\tSuser\tanna",
        "BEGIN\t2\t0\t0\t1795328118\t0\tcservice:pop3",
        "EVENT\t0\t1\t0\t1795328118\t0\tnmail_user_session_finished",
        "END\t2",
        "END\t1",
    ];
    let expected = "{\"event\":\"fantail_session_finished\",\"categories\":[\"service:pop3\"],\
        \"fields\":{\"user\":\"anna\",\"duration\":73000000,\"service\":\"pop3\"}}";
    check(V2_3, &lines, &[expected]);
}

/// What is no session gives no summary.
#[test]
fn other_events_are_no_sessions() {
    let lines = [
        "BEGIN\t1\t0\t0\t1795328118\t0\tSuser\tanna",
        "BEGIN\t2\t1\t0\t1795328118\t0\tcimap",
        "EVENT\t0\t2\t0\t1795328118\t0\tnimap_command_finished",
        "EVENT\t1\t0\t0\t1795328118\t0\tcimap\tnimap_command_finished",
        "END\t2",
        "END\t1",
    ];
    let server = check(V2_4, &lines, &[]);
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
}

#[test]
fn what_is_running_rises_and_falls() {
    let mut server = Server::new(V2_4);
    let mut check = |lines: &[&str], sessions: [u64; 4], commands: [u64; 4]| {
        server.play(lines);
        let now = server.engine.running_sessions();
        assert_eq!(now, running(sessions, commands), "{lines:?}");
    };
    check(&[], [0; 4], [0; 4]);
    check(&IMAP[..1], [1, 0, 0, 0], [0; 4]);
    check(&IMAP[1..4], [1, 0, 0, 0], [1, 0, 0, 0]);
    check(
        &[
            "BEGIN\t1\t0\t0\t5\t5\tclmtp",
            "BEGIN\t2\t1\t0\t5\t5\tScmd_name\tDATA",
        ],
        [1, 1, 0, 0],
        [1, 1, 0, 0],
    );
    check(&IMAP[4..], [1, 1, 0, 0], [0, 1, 0, 0]);
    // A root takes its running commands with it; their ends count no more.
    check(&["END\t1"], [1, 0, 0, 0], [0; 4]);
    check(&["END\t2"], [1, 0, 0, 0], [0; 4]);
    check(&["END\t7"], [0; 4], [0; 4]);
}

#[test]
fn closing_ends_sessions_in_the_order_of_their_ids() {
    let mut server = Server::new(V2_4);
    for (id, user) in [(9, "last"), (2, "first"), (5, "second")] {
        let root = format!("BEGIN\t{id}\t0\t0\t5\t5\tcimap\tSuser\t{user}");
        let command = format!("BEGIN\t{}\t{id}\t0\t5\t5\tScmd_name\tIDLE", id + 10);
        server.play(&[&root, &command]);
    }
    assert_eq!(
        server.engine.running_sessions(),
        running([3, 0, 0, 0], [3, 0, 0, 0])
    );
    server.close();
    let summaries = server.summaries();
    assert_eq!(summaries.len(), 3);
    for (summary, user) in summaries.iter().zip(["first", "second", "last"]) {
        assert!(
            summary.contains(&format!("\"user\":\"{user}\"")),
            "{summary}"
        );
    }
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
}

/// A summary is in the category of its service, and has no parent; it begins no
/// session, though it looks like a command's event to those who count all.
#[test]
fn a_derived_event_is_not_derived_from_again() {
    let text = configuration(V2_4).replace("event=*_command_finished", "event=* OR NOT event=*");
    let plan = Plan::new(&settings(text.as_bytes(), V2_4)).unwrap();
    let mut server = Server::with_plan(V2_4, plan);
    server.play(&IMAP);
    server.play(&["END\t7"]);
    assert_eq!(server.summaries(), [ANNA]);
    assert_eq!(server.recorded.exports[0].0, ExporterId(0));
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
    server.close();
    assert_eq!(server.summaries().len(), 1);
}

/// Sessions cost time: they are tracked only if a metric names their event, which
/// `event=*` does not.
#[test]
fn sessions_are_tracked_if_a_metric_asks_for_them() {
    let text = "metric all {\n filter = event=*\n}\n";
    let plan = Plan::new(&settings(text.as_bytes(), V2_4)).unwrap();
    assert_eq!(plan.handshake(), b"(event=\"*\")");
    let mut server = Server::with_plan(V2_4, plan);
    server.play(&IMAP);
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
    server.play(&["END\t7"]);
    assert!(server.recorded.observed.is_empty());
    assert_eq!(server.engine.counters().matched, 3);

    for (dialect, filter) in [
        (V2_3, "mail_user_session_finished"),
        (V2_4, "pop3_command_finished"),
    ] {
        let plan = Plan::new(&settings(configuration(dialect).as_bytes(), dialect)).unwrap();
        let handshake = plan.handshake().escape_ascii().to_string();
        for name in [
            "imap_command_finished",
            "smtp_server_command_finished",
            filter,
        ] {
            assert!(handshake.contains(name), "{name} in {handshake}");
        }
    }
}

/// Sessions that are open when no metric asks any more are forgotten: their ends
/// would not be seen. As long as one asks by the same rules, they stay.
#[test]
fn another_configuration_drops_sessions_or_keeps_them() {
    let asking = configuration(V2_4);
    let other = "metric mark {\n filter = event=mark\n}\n";
    let adopt = |server: &mut Server, text: &str| {
        let settings = settings(text.as_bytes(), V2_4);
        server.engine.reconfigure(&settings).unwrap();
    };
    let mut server = Server::new(V2_4);
    server.play(&IMAP);
    adopt(&mut server, &format!("{other}{asking}"));
    assert_eq!(
        server.engine.running_sessions(),
        running([1, 0, 0, 0], [0; 4])
    );
    server.play(&["END\t7"]);
    assert_eq!(server.summaries(), [ANNA]);

    server.play(&IMAP);
    adopt(&mut server, other);
    assert_eq!(server.engine.running_sessions(), RunningSessions::default());
    adopt(&mut server, &asking);
    server.play(&["EVENT\t0\t7\t0\t5\t5\tnimap_command_finished", "END\t7"]);
    assert_eq!(server.summaries(), [ANNA]);

    // Other rules.
    server.play(&IMAP);
    let settings = settings(asking.as_bytes(), V2_4);
    let mut rules = SessionRules::default();
    rules.sums = vec![b"bytes_in".to_vec()];
    let plan = Plan::with_sessions(&settings, rules).unwrap();
    server.engine.adopt(Arc::new(plan));
    server.play(&["END\t7"]);
    assert_eq!(server.summaries(), [ANNA]);
    server.play(&IMAP);
    server.play(&["END\t7"]);
    let summary = ANNA.replace(",\"bytes_out\":42", "");
    assert_eq!(server.summaries(), [ANNA.to_owned(), summary]);
}

/// Their live events have the same indices; each session is its own.
#[test]
fn sessions_of_two_intakes() {
    let text = configuration(V2_4);
    let mut engine = Engine::new(&settings(text.as_bytes(), V2_4)).unwrap();
    let mut recorded = Recorded::default();
    let mut intakes = [Intake::new(), Intake::new()];
    let mut clients: Vec<Client> = Vec::new();
    for intake in &mut intakes {
        let mut client = Client::new(intake, V2_4);
        let begin = ["CATEGORY\timap", "CATEGORY\tlmtp"];
        client.play(&begin, (intake, &mut engine), &mut recorded);
        clients.push(client);
    }
    let lines = IMAP.iter().chain(&["END\t7"]);
    for line in lines {
        for (client, intake) in clients.iter_mut().zip(&mut intakes) {
            client.play(&[line], (intake, &mut engine), &mut recorded);
        }
    }
    let payloads = recorded
        .exports
        .iter()
        .map(|it| it.1.escape_ascii().to_string());
    let payloads: Vec<String> = payloads.map(|text| text.replace('\\', "")).collect();
    assert_eq!(payloads, [ANNA, ANNA]);
    assert_eq!(engine.running_sessions(), RunningSessions::default());
}
