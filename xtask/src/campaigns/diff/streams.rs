//! Random configurations and streams, for a Dovecot's stats process and for
//! `fantail serve`.

mod case;
mod client;
mod configuration;
mod seen;
mod server;
mod traffic;

use std::{path::Path, thread};

use self::{
    case::{Block, Case, Part, Step},
    seen::{DUMPED, GREETING, Seen},
    server::Server,
};
use super::{
    random::Random,
    shrink::shrink,
    version::{Installation, Version},
};
use crate::error::Error;

/// The most lines of a case that are events.
const MAX_EVENTS: usize = 300;

/// The result of a campaign without a difference.
#[derive(Debug, Default)]
pub(super) struct Agreed {
    cases: u64,
    /// Configurations that both servers refuse.
    refused: u64,
    /// Cases that end Dovecot's stats process. They are not compared.
    crashes: u64,
    exports: usize,
    /// The lines of all answers.
    lines: usize,
}

impl Agreed {
    fn add(&mut self, theirs: &Outcome) {
        self.cases += 1;
        match theirs {
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Crash => self.crashes += 1,
            Outcome::Served(seen) => {
                self.exports += seen.exports.len();
                let answers = seen.answers.iter();
                self.lines += answers.map(|(_, lines)| lines.len()).sum::<usize>();
            }
        }
    }

    /// Returns the counts as a line.
    pub(super) fn to_line(&self) -> String {
        let Self {
            cases,
            refused,
            crashes,
            exports,
            lines,
        } = self;
        format!(
            "{cases} configurations and streams agree: {exports} exported lines, {lines} lines \
             of answers, {refused} are refused, {crashes} end Dovecot's stats process"
        )
    }
}

/// What a server made of a case.
#[derive(Debug)]
enum Outcome {
    /// It refuses the configuration, with these words.
    Refused(String),
    /// Its process died.
    Crash,
    Served(Seen),
}

/// Returns a random case.
fn random(random: &mut Random, version: Version) -> Case {
    let (mut parts, formats) = configuration::random(random, version);
    if random.chance(30) {
        parts.push(Part::Ask(GREETING.to_owned()));
    }
    let clients = 1 + random.below(4);
    for _ in 0..clients {
        let count = 1 + random.below(MAX_EVENTS / clients);
        parts.extend(traffic::client(random, version, count));
        if random.chance(50) {
            parts.push(Part::Ask(request(random, version, &formats)));
        }
    }
    let removes = |part: &Part| matches!(part, Part::Ask(it) if it.starts_with("METRICS-REMOVE"));
    if !version.is_2_3() && parts.iter().any(removes) {
        // 2.4 goes on to count unnamed events for a filter that was removed. This one
        // is never removed, and does not need a name.
        let words = vec!["filter =".to_owned(), "user=nosuch".to_owned()];
        parts.push(Part::Setting(Block::Metric(9), words));
    }
    Case {
        workers: *random.pick(&[1, 1, 1, 4]),
        parts,
    }
}

/// Returns a random request to the stats-reader socket.
fn request(random: &mut Random, version: Version, formats: &[&str]) -> String {
    match random.below(6) {
        0 => "DUMP\tcount\tnosuch\t%99.9\tavg".to_owned(),
        1 => format!("DUMP-RESET{DUMPED}"),
        2 => format!("METRICS-REMOVE\tm{}", random.below(7)),
        // Without exporters it ends the stats process of 2.4.
        3 if !version.is_2_3() && !formats.is_empty() => "REOPEN".to_owned(),
        _ => {
            let number = random.below(formats.len() + 1);
            let exporter = formats.get(number);
            let name = exporter.map(|_| format!("e{number}")).unwrap_or_default();
            let filter = configuration::filter(random, version, exporter.copied()).join(" ");
            let fields = configuration::added(random).join(" ");
            let groups = match random.chance(60) {
                true => configuration::groups_in_a_line(random, version),
                false => String::new(),
            };
            let include = configuration::include(random).join(" ");
            format!(
                "METRICS-ADD\tm{}\tadded\t{fields}\t{groups}\t{}\t{name}\t{include}",
                random.below(7),
                super::text::escape(&filter)
            )
        }
    }
}

/// The two servers.
struct Judges<'a> {
    installation: &'a Installation,
    program: &'a Path,
}

impl Judges<'_> {
    fn theirs(&self, case: &Case) -> Result<Outcome, Error> {
        let server = server::dovecot(self.installation, &case.blocks())?;
        let outcome = carry_out(server, case);
        Ok(outcome.unwrap_or(Outcome::Crash))
    }

    fn ours(&self, case: &Case) -> Result<Outcome, Error> {
        let (blocks, workers) = (case.blocks(), case.workers);
        let server = server::fantail(self.program, self.installation, &blocks, workers)?;
        carry_out(server, case)
    }

    /// Returns Dovecot's outcome, and the difference if there is one.
    fn compare(&self, case: &Case) -> Result<(Outcome, Option<String>), Error> {
        // Dovecot takes a second to end.
        let (theirs, ours) = thread::scope(|scope| {
            let theirs = scope.spawn(|| self.theirs(case));
            let ours = self.ours(case);
            (theirs.join(), ours)
        });
        let theirs = theirs.unwrap_or_else(|_| Err(Error::new("a thread panicked")));
        let (theirs, ours) = (theirs?, ours?);
        let difference = match (&theirs, &ours) {
            (Outcome::Crash, _) | (Outcome::Refused(_), Outcome::Refused(_)) => None,
            (Outcome::Refused(said), _) => Some(format!("only Dovecot refuses it: {said}")),
            (_, Outcome::Refused(said)) => Some(format!("only fantail refuses it: {said}")),
            (_, Outcome::Crash) => Some("fantail died".to_owned()),
            (Outcome::Served(theirs), Outcome::Served(ours)) => theirs.difference(ours),
        };
        Ok((theirs, difference))
    }

    /// Returns the report of a difference, with the smallest case that shows it.
    fn report(&self, number: u64, case: &Case, difference: &str) -> String {
        let differs = |case: &Case| matches!(self.compare(case), Ok((_, Some(_))));
        let workers = case.workers;
        let mut parts = case.parts.clone();
        let with = |parts: &[Part]| Case {
            workers,
            parts: parts.to_vec(),
        };
        shrink(&mut parts, |rest| differs(&with(rest)));
        for at in 0..parts.len() {
            let Some(mut pieces) = parts[at].pieces().cloned() else {
                continue;
            };
            let part = parts[at].clone();
            shrink(&mut pieces, |rest| {
                let mut parts = parts.clone();
                parts[at] = part.with(rest.to_vec());
                differs(&with(&parts))
            });
            parts[at] = part.with(pieces);
        }
        let least = with(&parts);
        let difference = match self.compare(&least) {
            Ok((_, Some(difference))) => difference,
            _ => format!("not every time: {difference}"),
        };
        let text = least.to_text(self.installation.version);
        format!("case {number} differs\n{text}{difference}")
    }
}

/// Plays a case to a server and ends it.
fn carry_out(server: Result<Server, server::Refusal>, case: &Case) -> Result<Outcome, Error> {
    let server = match server {
        Ok(server) => server,
        Err(refusal) => return Ok(Outcome::Refused(refusal.said)),
    };
    let mut seen = Seen::default();
    for step in case.steps() {
        match step {
            Step::Send(lines) => client::send(&server.writer, &lines)?,
            Step::Ask(request) if request == GREETING => {
                seen.add(&request, &client::greeting(&server.writer)?);
            }
            Step::Ask(request) => seen.add(&request, &client::ask(&server.reader, &request)?),
        }
    }
    let dump = format!("DUMP{DUMPED}");
    seen.add(&dump, &client::ask(&server.reader, &dump)?);
    seen.add("scrape", &client::scrape(server.port)?);
    let log = server.end()?;
    if server::has_crashed(&log) {
        return Ok(Outcome::Crash);
    }
    seen.add_exports(&log);
    if case.workers > 1 {
        seen.sort();
    } else if case.exporters() > 1 {
        // Exporters do not wait for each other.
        seen.exports.sort_unstable();
    }
    Ok(Outcome::Served(seen))
}

/// Compares `count` cases, from the case `first`. `Err` within is the report of the
/// first difference.
pub(super) fn compare(
    installation: &Installation,
    program: &Path,
    seed: u64,
    first: u64,
    count: u64,
) -> Result<Result<Agreed, String>, Error> {
    let judges = Judges {
        installation,
        program,
    };
    let mut agreed = Agreed::default();
    for number in first..first.saturating_add(count) {
        // Not the choices of the filters.
        let mut choices = Random::new(!seed, number);
        let case = random(&mut choices, installation.version);
        let (theirs, difference) = judges.compare(&case)?;
        if let Some(difference) = difference {
            return Ok(Err(judges.report(number, &case, &difference)));
        }
        agreed.add(&theirs);
    }
    Ok(Ok(agreed))
}
