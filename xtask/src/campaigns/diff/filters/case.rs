//! A random filter with an event.

use super::super::{random::Random, text::escape, version::Version, vocabulary};

/// A filter and an event, in parts that can be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Dovecot's number of the event's level.
    log_type: usize,
    /// The words of the filter.
    filter: Vec<String>,
    /// The arguments of the event, after its time.
    event: Vec<String>,
}

/// A part of a case.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Word(String),
    Argument(String),
}

impl Case {
    /// Returns a random case.
    pub(super) fn random(random: &mut Random, version: Version) -> Self {
        let mut event = Vec::new();
        if random.chance(30) {
            let file = random.word(vocabulary::FILES);
            event.push(format!("s{file}\t{}", random.below(4)));
        }
        if random.chance(30) {
            event.push(format!(
                "l{}\t{}",
                7 + random.below(3),
                random.below(1_000_000)
            ));
        }
        if random.chance(80) {
            event.push(format!("n{}", escape(random.word(vocabulary::NAMES))));
        }
        for _ in 0..random.below(3) {
            event.push(format!("c{}", random.word(vocabulary::CATEGORIES)));
        }
        for _ in 0..random.below(5) {
            let (key, kind) = *random.pick(vocabulary::KEYS);
            event.push(vocabulary::field(random, key, kind, version));
        }
        Self {
            log_type: random.below(6),
            filter: vocabulary::filter(random, version, vocabulary::KEYS, 3),
            event,
        }
    }

    /// Returns the line for both evaluators.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = format!(
            "{}\t{}\t5\t10",
            self.log_type,
            escape(&self.filter.join(" "))
        );
        for argument in &self.event {
            line.push('\t');
            line.push_str(argument);
        }
        line.push('\n');
        line.into_bytes()
    }

    /// Returns all that can be removed.
    pub(super) fn parts(&self) -> Vec<Part> {
        let words = self.filter.iter().cloned().map(Part::Word);
        let arguments = self.event.iter().cloned().map(Part::Argument);
        words.chain(arguments).collect()
    }

    /// Returns the case with these parts only.
    pub(super) fn with(&self, parts: &[Part]) -> Self {
        let mut case = Self {
            log_type: self.log_type,
            filter: Vec::new(),
            event: Vec::new(),
        };
        for part in parts {
            match part {
                Part::Word(word) => case.filter.push(word.clone()),
                Part::Argument(argument) => case.event.push(argument.clone()),
            }
        }
        case
    }
}
