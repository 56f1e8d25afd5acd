//! Random clients: events and their ancestors, and lines that servers refuse.

use super::{
    super::{
        random::Random,
        text::escape,
        version::Version,
        vocabulary::{self, Kind},
    },
    case::Part,
};

/// Categories with their parents, each after its parent.
const CATEGORIES: &[&str] = &[
    "storage",
    "mailbox\tstorage",
    "mail\tmailbox",
    "maildir\tstorage",
    "sql",
    "mysql\tsql",
    "imap",
    "pop3",
    "lmtp",
    "auth",
    "service:imap",
];

/// Lines that end the connection.
const REFUSED: &[&str] = &[
    "END\t77",
    "UPDATE\t77\t0\t1795328191\t5",
    "EVENT\t0\t77\t1\t1795328191\t5\tnx",
    "EVENT\t77\t0\t1\t1795328191\t5\tnx",
    "EVENT\t0\t0\t1\t1795328191\t1000000\tnx",
    "EVENT\t0\t0\t1\tx\t5\tnx",
    "EVENT\t0\t0\t1\t1795328191\t5\tnx\tcnosuch",
    "EVENT\t0\t0\t1\t1795328191\t5\tnx\tIbytes_in\tx",
    "BEGIN\t9\t77\t1\t1795328191\t5",
    "BEGIN\t0\t0\t1\t1795328191\t5",
    "CATEGORY\tmail\tsql",
    "CATEGORY\tnew\tnosuch",
    "NOSUCH\t1",
    "",
];

/// The first second of all events. The clock is not set back: an event is created
/// within ten seconds, and was last sent in the ten seconds after the next ten.
const BEGIN: usize = 1_795_328_191;

/// What a client has begun and not ended.
struct Client<'a> {
    random: &'a mut Random,
    version: Version,
    /// The ids of its live events, with those of their parents.
    live: Vec<(usize, usize)>,
    next_id: usize,
}

/// Returns the lines of one client, and its end.
pub(super) fn client(random: &mut Random, version: Version, count: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = CATEGORIES
        .iter()
        .map(|category| line(format!("CATEGORY\t{category}")))
        .collect();
    let refused_at = random.chance(15).then(|| random.below(count));
    let mut client = Client {
        random,
        version,
        live: Vec::new(),
        next_id: 1,
    };
    for at in 0..count {
        if refused_at == Some(at) {
            parts.push(line(client.random.word(REFUSED).to_owned()));
        }
        parts.push(Part::Line(client.line()));
    }
    parts.push(Part::Close);
    parts
}

fn line(text: String) -> Part {
    Part::Line(vec![text])
}

impl Client<'_> {
    /// Returns the arguments of a valid line.
    fn line(&mut self) -> Vec<String> {
        match self.random.below(20) {
            0..=2 if self.live.len() < 6 => {
                let parent = self.live_id();
                let id = self.next_id;
                self.next_id += 1;
                self.live.push((id, parent));
                let level = self.random.below(6);
                self.event(&format!("BEGIN\t{id}\t{parent}\t{level}"), false)
            }
            3 if !self.live.is_empty() => {
                let (id, parent) = *self.random.pick(&self.live);
                self.event(&format!("UPDATE\t{id}\t{parent}"), false)
            }
            4 if !self.live.is_empty() => {
                let at = self.random.below(self.live.len());
                let (id, _) = self.live.remove(at);
                vec![format!("END\t{id}")]
            }
            _ => {
                let global = match self.random.chance(20) {
                    true => self.live_id(),
                    false => 0,
                };
                let parent = self.live_id();
                let level = self.random.below(6);
                let has_name = self.random.chance(92);
                self.event(&format!("EVENT\t{global}\t{parent}\t{level}"), has_name)
            }
        }
    }

    /// Returns the id of a live event, or 0.
    fn live_id(&mut self) -> usize {
        match self.live.is_empty() || self.random.chance(35) {
            true => 0,
            false => self.random.pick(&self.live).0,
        }
    }

    fn event(&mut self, head: &str, has_name: bool) -> Vec<String> {
        let random = &mut *self.random;
        let created = BEGIN + random.below(10);
        let mut arguments = vec![format!("{head}\t{created}\t{}", random.below(1_000_000))];
        if random.chance(40) {
            let file = random.word(vocabulary::FILES);
            arguments.push(format!("s{file}\t{}", random.below(4)));
        }
        if random.chance(60) {
            let sent = BEGIN + 20 + random.below(10);
            arguments.push(format!("l{sent}\t{}", random.below(1_000_000)));
        }
        if has_name {
            arguments.push(format!("n{}", escape(random.word(vocabulary::NAMES))));
        }
        for _ in 0..random.below(3) {
            arguments.push(format!("c{}", random.word(vocabulary::CATEGORIES)));
        }
        for _ in 0..random.below(5) {
            let (key, kind) = *random.pick(vocabulary::STREAMS);
            arguments.push(field(random, self.version, key, kind));
        }
        arguments
    }
}

fn field(random: &mut Random, version: Version, key: &str, kind: Kind) -> String {
    match kind {
        Kind::Integer => {
            // Of the least number both series die when they group by it.
            let numbers = vocabulary::INTEGERS.iter().copied();
            let numbers: Vec<i64> = numbers.filter(|it| *it != i64::MIN).collect();
            format!("I{key}\t{}", random.pick(&numbers))
        }
        Kind::Text if random.chance(2) => {
            // Exporters to the log cut texts of more than 1,000 bytes.
            let text = "ab\u{fc}".repeat(400);
            let length = 745 + random.below(8);
            let text: String = text.chars().take(length).collect();
            format!("S{key}\t{text}")
        }
        _ => vocabulary::field(random, key, kind, version),
    }
}
