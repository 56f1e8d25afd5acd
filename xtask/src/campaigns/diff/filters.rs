//! Random filters and events, evaluated by libdovecot and by fantail.

mod case;
mod oracle;

use std::path::Path;

use self::case::Case;
use super::{
    random::Random,
    shrink::shrink,
    version::{Installation, Version},
};
use crate::error::Error;

/// The number of cases that one process evaluates.
const BATCH: u64 = 20_000;

/// The result of a campaign without a difference.
#[derive(Debug, Default)]
pub(super) struct Agreed {
    pub(super) cases: u64,
    /// Cases whose filter is refused.
    refused: u64,
    /// Cases whose filter matches.
    matches: u64,
    /// Cases that end a process of Dovecot. They are not compared.
    crashes: u64,
}

impl Agreed {
    fn add(&mut self, theirs: &Answer) {
        self.cases += 1;
        match theirs {
            Answer::Refused => self.refused += 1,
            Answer::Evaluated { matches, .. } => self.matches += u64::from(*matches),
            Answer::Crash => self.crashes += 1,
        }
    }

    /// Returns the counts as a line.
    pub(super) fn to_line(&self) -> String {
        let Self {
            cases,
            refused,
            matches,
            crashes,
        } = self;
        format!(
            "{cases} filters agree: {matches} match, {refused} are refused, \
             {crashes} end a process of Dovecot"
        )
    }
}

/// An answer, without the words of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Refused,
    Evaluated {
        canonical: Vec<u8>,
        matches: bool,
    },
    /// The process died.
    Crash,
}

impl Answer {
    fn read(line: Option<&Vec<u8>>) -> Self {
        let Some(line) = line else {
            return Self::Crash;
        };
        let mut parts = line.split(|byte| *byte == b'\t');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(b"OK"), Some(canonical), Some(matches)) => Self::Evaluated {
                canonical: canonical.to_vec(),
                matches: matches == b"1",
            },
            _ => Self::Refused,
        }
    }

    /// Returns whether both mean the same, or Dovecot has no answer.
    fn agrees(&self, ours: &Self) -> bool {
        *self == Self::Crash || self == ours
    }
}

/// The two evaluators.
struct Judges<'a> {
    installation: &'a Installation,
    program: &'a Path,
}

impl Judges<'_> {
    fn version(&self) -> Version {
        self.installation.version
    }

    fn ours(&self, cases: &[Case]) -> Result<Vec<Answer>, Error> {
        let command = oracle::ours(self.program, self.version().series());
        let lines = oracle::answers(command, input(cases))?;
        let answers: Vec<Answer> = lines.iter().map(|line| Answer::read(Some(line))).collect();
        match answers.len() == cases.len() {
            true => Ok(answers),
            false => Err(Error::new("`fantail filter eval` died")),
        }
    }

    /// After a crash, a new process evaluates the rest.
    fn theirs(&self, cases: &[Case]) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::with_capacity(cases.len());
        while answers.len() < cases.len() {
            let rest = cases.get(answers.len()..).unwrap_or_default();
            let lines = oracle::answers(oracle::theirs(self.installation), input(rest))?;
            let are_all = lines.len() >= rest.len();
            answers.extend(lines.iter().map(|line| Answer::read(Some(line))));
            if !are_all {
                answers.push(Answer::read(None));
            }
        }
        Ok(answers)
    }

    fn differ(&self, case: &Case) -> Option<(Answer, Answer)> {
        let one = std::slice::from_ref(case);
        let theirs = self.theirs(one).ok()?.pop()?;
        let ours = self.ours(one).ok()?.pop()?;
        (!theirs.agrees(&ours)).then_some((theirs, ours))
    }

    /// Returns the report of a difference, with the smallest case that shows it.
    fn report(&self, number: u64, case: &Case) -> String {
        let mut parts = case.parts();
        shrink(&mut parts, |rest| self.differ(&case.with(rest)).is_some());
        let least = case.with(&parts);
        let line = least.line();
        let Some((theirs, ours)) = self.differ(&least) else {
            return format!("case {number} differs only among others");
        };
        format!(
            "case {number} differs:\n  {}\n  Dovecot: {}\n  fantail: {}",
            line.trim_ascii_end().escape_ascii(),
            shown(&theirs),
            shown(&ours)
        )
    }
}

fn input(cases: &[Case]) -> Vec<u8> {
    cases.iter().flat_map(Case::line).collect()
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Refused => "refuses the filter".to_owned(),
        Answer::Crash => "died".to_owned(),
        Answer::Evaluated { canonical, matches } => {
            let verdict = if *matches {
                "matches"
            } else {
                "does not match"
            };
            format!("{verdict}: {}", canonical.escape_ascii())
        }
    }
}

/// Compares `count` cases; an error is a comparison that could not be made, and
/// `Err` within is the report of the first difference.
pub(super) fn compare(
    installation: &Installation,
    program: &Path,
    seed: u64,
    first: u64,
    count: u64,
) -> Result<Result<Agreed, String>, Error> {
    oracle::build(installation)?;
    let judges = Judges {
        installation,
        program,
    };
    let mut agreed = Agreed::default();
    let mut number = first;
    let end = first.saturating_add(count);
    while number < end {
        let numbers = number..end.min(number + BATCH);
        let cases: Vec<Case> = numbers
            .clone()
            .map(|number| Case::random(&mut Random::new(seed, number), judges.version()))
            .collect();
        let (theirs, ours) = (judges.theirs(&cases)?, judges.ours(&cases)?);
        for (((number, case), theirs), ours) in numbers.clone().zip(&cases).zip(&theirs).zip(&ours)
        {
            if !theirs.agrees(ours) {
                return Ok(Err(judges.report(number, case)));
            }
            agreed.add(theirs);
        }
        number = numbers.end;
    }
    Ok(Ok(agreed))
}
