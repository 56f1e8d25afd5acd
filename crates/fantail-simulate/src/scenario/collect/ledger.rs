//! What may and what has to be in the file.

use std::collections::BTreeSet;

use super::Stored;
use crate::broken::{Broken, holds};

/// The events that the stream has or had.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    ever: BTreeSet<String>,
    /// Those of lost messages, which may have been read before.
    lost: BTreeSet<String>,
    /// The number of messages that were ever stored.
    messages: u64,
}

impl Ledger {
    /// Returns the time of the next message.
    pub(super) const fn now(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    pub(super) fn stored(&mut self, lines: &[String]) {
        self.ever.extend(lines.iter().cloned());
    }

    pub(super) fn lose(&mut self, lost: &[Stored]) {
        let lines = lost.iter().flat_map(|message| message.lines.lines());
        self.lost.extend(lines.map(str::to_owned));
    }

    /// Compares the file with what the stream has.
    pub(super) fn check(&self, file: &str, stream: &[Stored]) -> Result<(), Broken> {
        let mut found = BTreeSet::new();
        for line in file.split_terminator('\n') {
            holds(self.ever.contains(line), || {
                format!("unknown line `{line}`")
            })?;
            holds(found.insert(line), || format!("`{line}` is there twice"))?;
        }
        holds(file.is_empty() || file.ends_with('\n'), || {
            "the last line is incomplete".to_owned()
        })?;
        let lines = stream.iter().flat_map(|message| message.lines.lines());
        for line in lines {
            holds(found.contains(line), || format!("`{line}` is not there"))?;
        }
        let missing = self
            .ever
            .iter()
            .find(|line| !found.contains(line.as_str()) && !self.lost.contains(line.as_str()));
        holds(missing.is_none(), || format!("{missing:?} is lost"))
    }
}
