//! Lines of clients: fantail and the oracle give the same answers.
//!
//! The input's first byte is `3` for Dovecot 2.3, and another byte for 2.4.
//! The rest is lines. A line that begins with `F` is the filter of a metric.
//! A line that begins with `1`, `2` or `3` comes from that client, any other
//! line from client 0. A refused line ends the client's connection, and so does
//! the line `<close>`; the next line follows a new handshake. A line that begins
//! with `VERSION` is also the first line of a connection.

use fantail_event::{CategoryTree, Dialect, Event, Parser};
use fantail_oracle::{Categories, ParseError};
use fantail_wire::Limits;

use crate::{server::oracle_event, side_by_side::SideBySide};

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0";
/// The number of clients that send a handshake.
const CLIENTS: usize = 4;
/// A client without a handshake.
const STRANGER: usize = CLIENTS;
/// The maximum number of metrics; more would only take time.
const METRICS: usize = 32;

/// fantail agrees with the oracle on refused lines and their errors, on sent,
/// updated and ended events, and on matching filters. Its two routes, by slot
/// and by key, agree with each other on exports, observed events and counts.
///
/// # Panics
/// Panics if this does not hold.
pub fn event_path(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let dialect = match first {
        b'3' => Dialect::V2_3,
        _ => Dialect::V2_4,
    };
    let lines = || rest.split(|&byte| byte == b'\n');
    let filters = lines().filter_map(|line| line.strip_prefix(b"F"));
    let mut servers = SideBySide::new(filters.take(METRICS), dialect, &Limits::default());
    for client in 0..CLIENTS {
        assert!(servers.line(client, HANDSHAKE));
    }
    let mut categories = Categories::default();
    let mut tree = CategoryTree::default();
    assert_eq!(categories.register(b"mail", None), Ok(()));
    assert_eq!(tree.register(b"mail", None), Ok(()));
    for line in lines().filter(|line| !line.starts_with(b"F")) {
        parsed_alike(line, dialect, &categories, &tree);
        if line.starts_with(b"VERSION") {
            servers.line(STRANGER, line);
        }
        let (client, line) = match line {
            [client @ b'1'..=b'3', line @ ..] => (usize::from(client - b'0'), line),
            line => (0, line),
        };
        let accepted = match line {
            b"<close>" => {
                servers.close(client);
                false
            }
            line => servers.line(client, line),
        };
        if !accepted {
            assert!(servers.line(client, HANDSHAKE));
        }
    }
    servers.finish();
}

/// Checks that both parsers parse the line as the same event, or return the
/// same error.
fn parsed_alike(line: &[u8], dialect: Dialect, categories: &Categories, tree: &CategoryTree) {
    let error = |error: fantail_event::TextError| ParseError {
        kind: error.kind(),
        argument: error.argument(),
    };
    let expected = fantail_oracle::parse(line, categories, dialect);
    let mut parser = Parser::new();
    let parsed = parser.parse(line, tree, dialect).map_err(error);
    assert_eq!(parsed.map(oracle_event), expected);
    let owned = Event::parse(line, tree, dialect).map_err(error);
    assert_eq!(
        owned.map(|event| oracle_event(event.as_event_ref())),
        expected
    );
}
