//! A connection that another server takes over: recordings that begin late.

use fantail_event::{Activity, Dialect, Level};
use fantail_wire::{Connection, Intake, Limits, capture::Capture};

const CAPTURE_2_3: &[u8] = include_bytes!("../../../../testdata/captures/dovecot-2.3.19.tsv");
const CAPTURE_2_4: &[u8] = include_bytes!("../../../../testdata/captures/dovecot-2.4.1.tsv");

/// An event and what it inherits from.
type Sent = (Level, Vec<fantail_event::Event>);

struct Server {
    intake: Intake,
    connection: Connection,
}

impl Server {
    fn new(dialect: Dialect) -> Self {
        Self {
            intake: Intake::new(),
            connection: Connection::new(dialect, Limits::default()),
        }
    }

    /// What is sent by a line.
    fn take(&mut self, line: &[u8]) -> Option<Sent> {
        let mut sent = None;
        let handled = self.connection.handle(line, &mut self.intake, |activity| {
            if let Activity::Sent { event, .. } = activity {
                let chain = event.chain().map(fantail_event::EventRef::to_event);
                sent = Some((event.level, chain.collect()));
            }
        });
        handled.unwrap();
        sent
    }
}

/// Another server takes each connection over after some lines; what is sent later is
/// the same for both.
fn check(capture: &[u8], dialect: Dialect) {
    let capture = Capture::parse(capture);
    let mut compared = 0;
    for (number, recorded) in capture.connections.iter().enumerate() {
        let mut first = Server::new(dialect);
        let mut second = Server::new(dialect);
        let taken_over = number % recorded.lines.len();
        for (at, line) in recorded.lines.iter().enumerate() {
            if at == taken_over {
                let mut state = Vec::new();
                first.connection.write_state(&first.intake, &mut state);
                for line in state.split(|byte| *byte == b'\n') {
                    if line.is_empty() {
                        continue;
                    }
                    let begun = second.take(line);
                    let name = |(_, chain): &Sent| {
                        chain.first()?.as_event_ref().name().map(<[u8]>::to_vec)
                    };
                    assert_eq!(begun.as_ref().and_then(name), None, "counted again");
                }
            }
            let sent = first.take(line.line);
            if at >= taken_over {
                assert_eq!(second.take(line.line), sent, "line {}", line.number);
                compared += usize::from(sent.is_some_and(|(_, chain)| chain.len() > 1));
            }
        }
    }
    assert!(compared > 500, "only {compared} events inherit");
}

#[test]
fn the_state_of_a_connection_survives_a_change_of_the_server() {
    check(CAPTURE_2_3, Dialect::V2_3);
    check(CAPTURE_2_4, Dialect::V2_4);
}

/// An event that has ended is needed by its children.
#[test]
fn an_ended_parent_is_taken_over() {
    let mut first = Server::new(Dialect::V2_4);
    let lines: [&[u8]; 4] = [
        b"VERSION\tstats-client\t4\t0",
        b"BEGIN\t1\t0\t1\t5\t5\tl5\t7\tnroot\tSn\tnot a name",
        b"BEGIN\t2\t1\t1\t5\t5\tnchild\tSa\tb",
        b"END\t1",
    ];
    for line in lines {
        first.take(line);
    }
    let mut state = Vec::new();
    first.connection.write_state(&first.intake, &mut state);
    let mut second = Server::new(Dialect::V2_4);
    for line in state.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            second.take(line);
        }
    }
    let event = b"EVENT\t0\t2\t1\t5\t5\tnx";
    let sent = first.take(event);
    assert_eq!(sent.as_ref().map(|(_, chain)| chain.len()), Some(3));
    assert_eq!(second.take(event), sent);
    first.take(b"BEGIN\t1\t0\t1\t5\t5\tnagain");
    second.take(b"BEGIN\t1\t0\t1\t5\t5\tnagain");
    assert_eq!(second.intake.live_events().len(), 3);
}
