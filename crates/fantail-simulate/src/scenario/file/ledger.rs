//! What was promised about each line.

use std::collections::BTreeMap;

use fantail_transport::{FileSettings, spool::Fsync};

use super::ALL;
use crate::{
    broken::{Broken, holds},
    payload,
    world::{Troubles, with},
};

/// A line that was offered.
#[derive(Debug, Default)]
struct Line {
    /// It is in a file; `Some(true)`: also after a loss of power.
    promise: Option<bool>,
    /// How often it may be in the files.
    attempts: usize,
    /// The process that delivered it.
    life: u32,
}

/// The promises about all lines.
#[derive(Debug)]
pub(super) struct Ledger {
    fsync: Fsync,
    keep: u32,
    keeps_all: bool,
    /// A failed sync may leave anything before a line that a later process writes.
    syncs_fail: bool,
    lines: BTreeMap<u64, Line>,
    next: u64,
    life: u32,
    /// Lines of another program that no loss of power has put in doubt.
    beside: Vec<u64>,
}

impl Ledger {
    pub(super) fn new(settings: &FileSettings, troubles: Troubles) -> Self {
        let rotation = &settings.rotation;
        let rotates = rotation.bytes.is_some() || rotation.age.is_some();
        Self {
            fsync: settings.fsync,
            keep: rotation.keep,
            keeps_all: !rotates || rotation.keep == ALL,
            syncs_fail: troubles.syncs > 0,
            lines: BTreeMap::new(),
            next: 0,
            life: 0,
            beside: Vec::new(),
        }
    }

    /// Returns the number of a new line.
    pub(super) const fn offer(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn written_beside(&mut self, id: u64) {
        self.beside.push(id);
    }

    /// Notes the result of an attempt; `is_synced`: an interval was over, and it forced
    /// all earlier lines onto the disk. Its own lines may be in a new file.
    pub(super) fn delivered(&mut self, done: &[u64], rest: &[u64], is_synced: bool) {
        for id in done.iter().chain(rest) {
            self.lines.entry(*id).or_default().attempts += 1;
        }
        if is_synced && self.fsync != Fsync::Never {
            // Another program may have renamed the file of a killed process.
            let life = self.life;
            let lines = self.lines.values_mut().filter(|line| line.life == life);
            for line in lines {
                line.promise = line.promise.map(|_| true);
            }
        }
        for id in done {
            let is_safe = self.fsync == Fsync::Always;
            let line = self.lines.entry(*id).or_default();
            line.promise = Some(is_safe);
            line.life = self.life;
        }
    }

    /// The disk may have lost what was not synced.
    pub(super) fn lose_unsynced(&mut self) {
        if self.syncs_fail {
            self.keep_safe();
        }
    }

    fn keep_safe(&mut self) {
        for line in self.lines.values_mut() {
            line.promise = line.promise.filter(|is_safe| *is_safe);
        }
    }

    pub(super) fn restart(&mut self, loses_power: bool) {
        self.life += 1;
        if loses_power {
            self.beside.clear();
            self.keep_safe();
            self.bring_back_removed();
        }
    }

    /// Each file may have lines of a removed one in sectors that were never written.
    fn bring_back_removed(&mut self) {
        let (stale, files) = with(|world| {
            let stale = world.disk.stale().to_vec();
            (stale, world.disk.files_in("/logs").len())
        });
        for (id, line) in &mut self.lines {
            let payload = payload::of(*id);
            if stale
                .split(|byte| *byte == b'\n')
                .any(|it| it.ends_with(&payload))
            {
                line.attempts += files;
            }
        }
    }

    /// Compares the files with the promises.
    pub(super) fn check(&self) -> Result<(), Broken> {
        let files = with(|world| world.disk.files_in("/logs"));
        let bytes = files.iter().map(|(_, bytes)| bytes);
        let lines = bytes.flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
        let lines: Vec<&[u8]> = lines.collect();
        let mut found: BTreeMap<&[u8], usize> = BTreeMap::new();
        for line in &lines {
            *found.entry(line).or_default() += 1;
        }
        for (id, line) in &self.lines {
            let payload = payload::of(*id);
            let times = found.get(payload.as_slice()).copied().unwrap_or(0);
            let (attempts, promise) = (line.attempts, line.promise);
            holds(times <= attempts, || {
                format!("{id} is there {times} times after {attempts} attempts")
            })?;
            let behind = || self.syncs_fail && lines.iter().any(|line| line.ends_with(&payload));
            let is_there = times > 0 || promise.is_none() || !self.keeps_all || behind();
            holds(is_there, || format!("{id} is missing: {promise:?}"))?;
        }
        for id in self.beside.iter().filter(|_| self.keeps_all) {
            let line = beside_line(*id);
            let is_in = |bytes: &[u8]| bytes.windows(line.len()).any(|it| it == line.as_bytes());
            holds(files.iter().any(|(_, bytes)| is_in(bytes)), || {
                format!("the line {id} of another program is gone")
            })?;
        }
        let numbers = files.iter().filter_map(|(name, _)| {
            let number = name.strip_prefix("events.")?;
            number.parse::<u32>().ok()
        });
        let largest = numbers.max().unwrap_or(0);
        holds(largest <= self.keep, || {
            format!("there is a file number {largest}")
        })
    }
}

/// Returns the line of another program with a number.
pub(super) fn beside_line(id: u64) -> String {
    format!("<{id} of another program>\n")
}
