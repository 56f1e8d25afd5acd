//! What is live, and what is freed when events and connections end.

use fantail_event::{Activity, Dialect::V2_4, LiveId};
use fantail_wire::{Connection, Intake, Limits, WireErrorKind};

use super::GREETING;

struct Client {
    connection: Connection,
    told: Vec<String>,
}

impl Client {
    fn new(intake: &mut Intake, limits: Limits) -> Self {
        let mut client = Self {
            connection: Connection::new(V2_4, limits),
            told: Vec::new(),
        };
        client.line(intake, "VERSION\tstats-client\t4\t0").unwrap();
        client
    }

    fn line(&mut self, intake: &mut Intake, line: &str) -> Result<(), WireErrorKind> {
        let Self { connection, told } = self;
        let handled = connection.handle(line.as_bytes(), intake, |activity| {
            told.push(tell(&activity));
        });
        handled.map_err(|error| error.kind().clone())
    }

    fn lines(&mut self, intake: &mut Intake, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.line(intake, line), Ok(()), "{line}");
        }
    }

    /// Closes it; what the whole client did.
    fn close(mut self, intake: &mut Intake) -> Vec<String> {
        let told = &mut self.told;
        self.connection
            .close(intake, |activity| told.push(tell(&activity)));
        self.told
    }
}

fn tell(activity: &Activity<'_>) -> String {
    let name = |name: Option<&[u8]>| name.unwrap_or(b"-").escape_ascii().to_string();
    match activity {
        Activity::Sent { event, begun } => {
            let what = if begun.is_some() { "begun" } else { "sent" };
            format!("{what} {}", name(event.event.name()))
        }
        Activity::Updated { update, .. } => format!("updated {}", name(update.name())),
        Activity::Ended { event, .. } => format!("ended {}", name(event.name())),
    }
}

#[test]
fn closing_ends_live_events_in_the_order_of_their_ids() {
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, Limits::default());
    client.lines(
        &mut intake,
        &[
            "BEGIN\t30\t0\t1\t5\t5\tnroot",
            "BEGIN\t4\t30\t1\t5\t5\tnchild",
            "BEGIN\t100\t0\t1\t5\t5\tnother",
            "EVENT\t0\t4\t1\t5\t5\tnevent",
            "UPDATE\t100\t0\t5\t5\tnchanged",
        ],
    );
    assert_eq!(
        client.close(&mut intake),
        [
            "begun root",
            "begun child",
            "begun other",
            "sent event",
            "updated changed",
            "ended child",
            "ended root",
            "ended changed"
        ]
    );
    assert!(intake.live_events().is_empty());
}

/// Also children whose parents have ended, and ended parents with live children:
/// each event ends once.
#[test]
fn closing_frees_ended_parents_too() {
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, Limits::default());
    client.lines(
        &mut intake,
        &[
            "BEGIN\t1\t0\t1\t5\t5\tna",
            "BEGIN\t2\t1\t1\t5\t5\tnb",
            "BEGIN\t3\t2\t1\t5\t5\tnc",
            "END\t1",
            "END\t2",
        ],
    );
    assert_eq!(client.connection.live_events(), 3);
    assert_eq!(intake.live_events().len(), 3);
    client.told.clear();
    assert_eq!(client.close(&mut intake), ["ended c"]);
    assert!(intake.live_events().is_empty());
}

/// What one connection ends is no event of another, though both name theirs
/// alike.
#[test]
fn connections_share_an_intake_and_no_ids() {
    let mut intake = Intake::new();
    let [mut one, mut other] = [1, 2].map(|_| Client::new(&mut intake, Limits::default()));
    for (client, name) in [(&mut one, "one"), (&mut other, "other")] {
        let begin = format!("BEGIN\t1\t0\t1\t5\t5\tn{name}");
        client.lines(&mut intake, &[&begin, "EVENT\t0\t1\t1\t5\t5\tnx"]);
    }
    assert_eq!(one.close(&mut intake), ["begun one", "sent x", "ended one"]);
    assert_eq!(intake.live_events().len(), 1);
    assert_eq!(other.connection.live_events(), 1);
    other.lines(&mut intake, &["EVENT\t0\t1\t1\t5\t5\tny", "END\t1"]);
    assert!(intake.live_events().is_empty());
    assert_eq!(other.connection.live_bytes(), 0);
    assert_eq!(
        other.close(&mut intake),
        ["begun other", "sent x", "sent y", "ended other"]
    );
}

/// A BEGIN is live before it is sent; one that a limit refuses is neither.
#[test]
fn a_begin_is_live_before_it_is_sent() {
    let mut intake = Intake::new();
    let mut connection = Connection::new(V2_4, Limits::default());
    connection.handle(GREETING, &mut intake, |_| {}).unwrap();
    let mut id: Option<LiveId> = None;
    connection
        .handle(b"BEGIN\t1\t0\t1\t5\t5\tnx", &mut intake, |activity| {
            if let Activity::Sent { begun, .. } = activity {
                id = begun;
            }
        })
        .unwrap();
    let kept = intake.live_events().get(id.unwrap()).unwrap();
    assert_eq!(kept.name(), Some(&b"x"[..]));
    connection.close(&mut intake, |_| {});
    assert_eq!(intake.live_events().get(id.unwrap()), None);
}

#[track_caller]
fn check_refused_begin(limits: Limits, lines: &[&str], refused: &str, why: &WireErrorKind) {
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, limits);
    client.lines(&mut intake, lines);
    client.told.clear();
    assert_eq!(client.line(&mut intake, refused).as_ref(), Err(why));
    assert_eq!(client.told, [""; 0]);
    client.close(&mut intake);
    assert!(intake.live_events().is_empty());
}

#[test]
fn a_refused_begin_is_not_sent() {
    let begin = "BEGIN\t1\t0\t1\t5\t5\tnx";
    let limits = Limits {
        live_events: 1,
        ..Limits::default()
    };
    let second = "BEGIN\t2\t0\t1\t5\t5\tny";
    check_refused_begin(limits, &[begin], second, &WireErrorKind::TooManyEvents);
    let limits = Limits {
        ancestors: 0,
        ..Limits::default()
    };
    let child = "BEGIN\t2\t1\t1\t5\t5\tny";
    check_refused_begin(limits, &[begin], child, &WireErrorKind::TooDeep);
    let limits = Limits {
        live_bytes: 2_000,
        ..Limits::default()
    };
    let large = format!("BEGIN\t2\t0\t1\t5\t5\tSk\t{}", "x".repeat(2_000));
    check_refused_begin(limits, &[begin], &large, &WireErrorKind::TooManyEvents);
    let again = WireErrorKind::DuplicateId(1);
    check_refused_begin(Limits::default(), &[begin], begin, &again);
}

/// Tells where the limit of ancestors is.
#[test]
fn an_event_may_have_as_many_ancestors_as_the_limit() {
    let mut intake = Intake::new();
    let limits = Limits {
        ancestors: 3,
        ..Limits::default()
    };
    let mut client = Client::new(&mut intake, limits);
    let begin = |id: u32| format!("BEGIN\t{id}\t{}\t1\t5\t5", id - 1);
    let lines = [1, 2, 3, 4].map(begin);
    client.lines(&mut intake, &lines.each_ref().map(String::as_str));
    assert_eq!(
        client.line(&mut intake, &begin(5)),
        Err(WireErrorKind::TooDeep)
    );
    client.close(&mut intake);
}

#[test]
fn a_client_registers_as_many_categories_as_the_limit() {
    let mut intake = Intake::new();
    let limits = Limits {
        categories: 2,
        ..Limits::default()
    };
    let mut client = Client::new(&mut intake, limits.clone());
    let lines = ["CATEGORY\ta", "CATEGORY\tb\ta", "CATEGORY\ta"];
    client.lines(&mut intake, &lines);
    let refused = client.line(&mut intake, "CATEGORY\tc");
    assert_eq!(refused, Err(WireErrorKind::TooManyCategories));
    assert!(client.connection.held_bytes() > 0);
    client.close(&mut intake);
    let mut client = Client::new(&mut intake, limits);
    client.lines(&mut intake, &["CATEGORY\tc", "CATEGORY\td\tc"]);
    client.close(&mut intake);
}

/// A client that fills the tree keeps others out only while it is there.
#[test]
fn categories_of_clients_that_are_gone_make_room() {
    let mut intake = Intake::new();
    let mut clients = Vec::new();
    let mut number = 0;
    let mut fill = |intake: &mut Intake, client: &mut Client| {
        (0..256).all(|_| {
            number += 1;
            client
                .line(intake, &format!("CATEGORY\tcategory-{number}"))
                .is_ok()
        })
    };
    loop {
        let mut client = Client::new(&mut intake, Limits::default());
        let is_full = !fill(&mut intake, &mut client);
        clients.push(client);
        if is_full {
            break;
        }
    }
    let mut client = Client::new(&mut intake, Limits::default());
    let full = client.line(&mut intake, "CATEGORY\timap");
    assert!(matches!(full, Err(WireErrorKind::Category(_))), "{full:?}");
    intake.categories.reserve(["mail"]);
    client.lines(&mut intake, &["CATEGORY\tmail"]);
    for client in clients {
        client.close(&mut intake);
    }
    client.lines(
        &mut intake,
        &["CATEGORY\timap", "EVENT\t0\t0\t1\t5\t5\tcimap\tcmail"],
    );
    assert_eq!(intake.categories.iter().count(), 2);
    client.close(&mut intake);
}

/// An update counts for the limit, and what it replaces does so no more.
#[test]
fn updates_and_the_bytes_that_are_live() {
    let limits = Limits {
        live_bytes: 10_000,
        ..Limits::default()
    };
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, limits);
    client.lines(&mut intake, &["BEGIN\t1\t0\t1\t5\t5"]);
    for at in 0..1_000 {
        let update = format!("UPDATE\t1\t0\t5\t5\tSk\t{at}{}", "x".repeat(500));
        client.lines(&mut intake, &[&update]);
        assert!(client.connection.live_bytes() < 10_000);
    }
    let large = format!("UPDATE\t1\t0\t5\t5\tSk\t{}", "x".repeat(20_000));
    let refused = client.line(&mut intake, &large);
    assert_eq!(refused, Err(WireErrorKind::TooManyEvents));
    client.close(&mut intake);
    assert!(intake.live_events().is_empty());
}

#[test]
fn an_update_may_not_give_an_event_too_many_fields() {
    let fields = |range: std::ops::Range<u32>| {
        let fields = range.map(|n| format!("\tIk{n}\t1"));
        fields.collect::<String>()
    };
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, Limits::default());
    // With the duration, all that there may be.
    let begin = format!("BEGIN\t1\t0\t1\t5\t5{}", fields(0..1023));
    client.lines(&mut intake, &[&begin, "UPDATE\t1\t0\t5\t5\tIk5\t2"]);
    let refused = client.line(&mut intake, "UPDATE\t1\t0\t5\t5\tImore\t2");
    assert_eq!(refused, Err(WireErrorKind::TooManyEvents));
    client.close(&mut intake);
    assert!(intake.live_events().is_empty());
}

#[test]
fn an_update_replaces_categories() {
    let mut intake = Intake::new();
    let mut connection = Connection::new(V2_4, Limits::default());
    let mut names = Vec::new();
    for line in [
        "VERSION\tstats-client\t4\t0",
        "CATEGORY\taaa",
        "CATEGORY\tbbb",
        "BEGIN\t1\t0\t1\t5\t5\tcaaa",
        "EVENT\t0\t1\t1\t5\t5\tnx",
        "UPDATE\t1\t0\t5\t5\tcbbb",
        "EVENT\t0\t1\t1\t5\t5\tnx",
        "UPDATE\t1\t0\t5\t5\tSk\tv",
        "EVENT\t0\t1\t1\t5\t5\tnx",
    ] {
        let on = |activity: Activity<'_>| {
            if let Activity::Sent { event, begun: None } = activity {
                let parent = event.parents[0].event.as_event_ref();
                let own = parent
                    .categories()
                    .map(|name| name.escape_ascii().to_string());
                names.push(own.collect::<Vec<_>>().join(" "));
            }
        };
        connection.handle(line.as_bytes(), &mut intake, on).unwrap();
    }
    assert_eq!(names, ["aaa", "bbb", ""]);
}

#[test]
fn ended_events_leave_nothing_behind() {
    let mut intake = Intake::new();
    let mut client = Client::new(&mut intake, Limits::default());
    for round in 0..1000 {
        let (a, b) = (2 * round + 1, 2 * round + 2);
        let begin = format!("BEGIN\t{a}\t0\t1\t5\t5\tSk\tv");
        client.lines(&mut intake, &[&begin]);
        let begin = format!("BEGIN\t{b}\t{a}\t1\t5\t5");
        client.lines(&mut intake, &[&begin, &format!("END\t{a}")]);
        assert_eq!(client.connection.live_events(), 2);
        client.lines(&mut intake, &[&format!("END\t{b}")]);
        assert_eq!(client.connection.live_events(), 0);
        assert_eq!(client.connection.live_bytes(), 0);
        assert!(intake.live_events().is_empty());
    }
}
