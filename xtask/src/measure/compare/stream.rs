//! What both servers are fed with: a recording many times over, as few
//! connections that last.

use std::{collections::HashMap, fmt::Write as _, fs, path::Path};

use crate::error::Error;

/// Lines for the stats-writer socket, handshake and categories first.
#[derive(Debug)]
pub(crate) struct Stream {
    /// All lines, each with its LF.
    pub(crate) bytes: Vec<u8>,
    /// EVENT lines among them.
    pub(crate) events: u64,
}

pub(crate) const HANDSHAKE: &str = "VERSION\tstats-client\t4\t0\n";

/// The recording of Dovecot 2.3.
pub(super) fn recording(root: &Path) -> Result<String, Error> {
    let path = root.join("testdata/captures/dovecot-2.3.19.tsv");
    fs::read_to_string(&path).map_err(Error::at("read", &path))
}

/// The connection and the line of each of its rows.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Result<(&str, &str), Error>> {
    text.lines().map(|row| {
        let mut columns = row.splitn(3, '\t');
        match (columns.next(), columns.next(), columns.next()) {
            (Some(connection), Some(_), Some(line)) => Ok((connection, line)),
            _ => Err(Error::new("the recording has a short row")),
        }
    })
}

/// Repeats the recording of Dovecot 2.3 up to a number of events.
///
/// Its connections become one: their ids are moved apart, and what lived when
/// one closed ends.
pub(crate) fn recorded(root: &Path, wanted: u64) -> Result<Stream, Error> {
    let text = recording(root)?;
    let mut connections: Vec<Vec<&str>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut head = String::from(HANDSHAKE);
    for row in rows(&text) {
        let (connection, line) = row?;
        if line.starts_with("CATEGORY\t") {
            let _ = writeln!(head, "{line}");
        } else if !line.starts_with("VERSION\t") && line != "<close>" {
            let at = *places.entry(connection).or_insert_with(|| {
                connections.push(Vec::new());
                connections.len() - 1
            });
            connections[at].push(line);
        }
    }
    let mut bytes = head.into_bytes();
    let mut ids = 0;
    let mut events = 0;
    while events < wanted {
        let before = events;
        for lines in &connections {
            events += play(lines, &mut ids, &mut bytes);
            if events >= wanted {
                break;
            }
        }
        if events == before {
            return Err(Error::new("the recording has no events"));
        }
    }
    Ok(Stream { bytes, events })
}

/// Appends one connection's lines with ids above `ids`; returns its events.
fn play(lines: &[&str], ids: &mut u64, out: &mut Vec<u8>) -> u64 {
    let base = *ids;
    let mut alive = Vec::new();
    let mut events = 0;
    for line in lines {
        let (command, rest) = line.split_once('\t').unwrap_or((line, ""));
        // END and EVENT's and BEGIN's two; UPDATE's two, too.
        let count = if command == "END" { 1 } else { 2 };
        let mut parts = rest.splitn(count + 1, '\t');
        out.extend_from_slice(command.as_bytes());
        for place in 0..count {
            let id = parts.next().and_then(|id| id.parse().ok()).unwrap_or(0);
            let moved = if id == 0 { 0 } else { base + id };
            *ids = (*ids).max(moved);
            out.extend_from_slice(format!("\t{moved}").as_bytes());
            match (command, place) {
                ("BEGIN", 0) => alive.push(moved),
                ("END", 0) => alive.retain(|other| *other != moved),
                _ => {}
            }
        }
        for rest in parts {
            out.push(b'\t');
            out.extend_from_slice(rest.as_bytes());
        }
        out.push(b'\n');
        events += u64::from(command == "EVENT");
    }
    for id in alive {
        out.extend_from_slice(format!("END\t{id}\n").as_bytes());
    }
    events
}

/// Commands of `users` users in turn, `rounds` times.
pub(crate) fn users(users: u64, rounds: u64) -> Stream {
    let mut text = String::from(HANDSHAKE);
    text.push_str("CATEGORY\timap\n");
    for round in 0..rounds {
        for user in 0..users {
            let micros = (user * 7 + round) % 900_000;
            let _ = writeln!(
                text,
                "EVENT\t0\t0\t0\t1795328118\t{micros}\tsimap-client.c\t1016\tl1795328118\t{}\t\
                 nimap_command_finished\tcimap\tScmd_name\tSELECT\tStagged_reply_state\tOK\t\
                 Suser\tuser{user}@example.com\tSsession\tabcdefgh{user}\tIbytes_in\t{}\t\
                 Ibytes_out\t334",
                micros + user % 5_000,
                user % 977
            );
        }
    }
    Stream {
        bytes: text.into_bytes(),
        events: users * rounds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_moved_apart_and_the_living_ends() {
        let mut out = Vec::new();
        let mut ids = 0;
        let lines = ["BEGIN\t3\t0\t0\tx", "EVENT\t0\t3\t1\ty\tz"];
        assert_eq!(play(&lines, &mut ids, &mut out), 1);
        assert_eq!(play(&lines, &mut ids, &mut out), 1);
        let text = String::from_utf8_lossy(&out);
        assert_eq!(
            text,
            "BEGIN\t3\t0\t0\tx\nEVENT\t0\t3\t1\ty\tz\nEND\t3\n\
             BEGIN\t6\t0\t0\tx\nEVENT\t0\t6\t1\ty\tz\nEND\t6\n"
        );
    }
}
