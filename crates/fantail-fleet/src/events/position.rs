//! Positions: the state of a collector as text.
//!
//! ```text
//! fantail-collect 1
//! stream 2026-01-01T00:00:00Z
//! sequence 17
//! last 1700000000000000000 fantail.e1.mail.mail1.audit 1 00000000000000aa 0 2 00000000000000bb 0
//! counts 2 0 0 0 0 0
//! source fantail.e1.mail.mail1.audit
//! run 00000000000000aa 0 0-2
//! queue 00000000000000bb 0
//! end
//! ```

use std::{error::Error, fmt, fmt::Write as _, ops::Range};

use super::{
    collector::{Collector, CollectorCounts, CollectorLimits},
    seen::{MAX_INTERVALS, Seen},
    source::{MAX_QUEUES, MAX_RUNS, Source},
};

const MAGIC: &str = "fantail-collect 1";

/// A text that is no position, or that of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionError {
    line: usize,
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not that of a position", self.line)
    }
}

impl Error for PositionError {}

impl Collector {
    /// Returns the state as text. Positions are equal if the same messages were taken in
    /// the same order.
    #[must_use]
    pub fn save(&self) -> String {
        let CollectorCounts {
            events,
            repeated,
            dropped,
            missing,
            skipped,
            refused,
        } = self.counts;
        let mut text = format!(
            "{MAGIC}\nstream {}\nsequence {}\nlast {}\n\
             counts {events} {repeated} {dropped} {missing} {skipped} {refused}\n",
            self.stream, self.sequence, self.last
        );
        for (subject, source) in &self.sources {
            let _ = writeln!(text, "source {subject}");
            for (run, seen) in &source.runs {
                let _ = write!(text, "run {run:016x} {}", seen.floor);
                for one in &seen.intervals {
                    let _ = write!(text, " {}-{}", one.start, one.end);
                }
                text.push('\n');
            }
            for (queue, dropped) in &source.queues {
                let _ = writeln!(text, "queue {queue:016x} {dropped}");
            }
        }
        text.push_str("end\n");
        text
    }

    /// Returns the collector of a saved state.
    ///
    /// # Errors
    /// The text is not a whole position.
    pub fn from_saved(text: &str, limits: CollectorLimits) -> Result<Self, PositionError> {
        let mut collector = Self::new(limits);
        let mut source: Option<(String, Source)> = None;
        let mut has_ended = false;
        for (at, line) in text.split_terminator('\n').enumerate() {
            let good = match at {
                0 => line == MAGIC,
                _ if has_ended => false,
                _ if line == "end" => {
                    has_ended = true;
                    true
                }
                _ => collector.read_line(line, &mut source).is_some(),
            };
            if !good {
                return Err(PositionError { line: at + 1 });
            }
        }
        collector.sources.extend(source);
        let whole = has_ended && text.ends_with('\n');
        whole.then_some(collector).ok_or_else(|| PositionError {
            line: text.lines().count(),
        })
    }

    fn read_line(&mut self, line: &str, source: &mut Option<(String, Source)>) -> Option<()> {
        let (key, value) = line.split_once(' ')?;
        match key {
            "stream" => value.clone_into(&mut self.stream),
            "sequence" => self.sequence = value.parse().ok()?,
            "last" => value.clone_into(&mut self.last),
            "counts" => self.counts = counts(value)?,
            "source" => self
                .sources
                .extend(source.replace((value.to_owned(), Source::default()))),
            "run" => {
                let runs = &mut source.as_mut()?.1.runs;
                runs.push(run(value).filter(|_| runs.len() < MAX_RUNS)?);
            }
            "queue" => {
                let queues = &mut source.as_mut()?.1.queues;
                let (id, dropped) = value.split_once(' ')?;
                let queue = (u64::from_str_radix(id, 16).ok()?, dropped.parse().ok()?);
                queues.push(Some(queue).filter(|_| queues.len() < MAX_QUEUES)?);
            }
            _ => return None,
        }
        Some(())
    }
}

fn counts(text: &str) -> Option<CollectorCounts> {
    let numbers: Option<Vec<u64>> = text.split(' ').map(|one| one.parse().ok()).collect();
    let [events, repeated, dropped, missing, skipped, refused] = numbers?.try_into().ok()?;
    Some(CollectorCounts {
        events,
        repeated,
        dropped,
        missing,
        skipped,
        refused,
    })
}

fn run(text: &str) -> Option<(u64, Seen)> {
    let mut words = text.split(' ');
    let id = u64::from_str_radix(words.next()?, 16).ok()?;
    let floor = words.next()?.parse().ok()?;
    let intervals: Option<Vec<Range<u64>>> = words.map(interval).collect();
    let intervals = intervals?;
    let mut end = floor;
    for one in &intervals {
        // Only the first one may touch the floor.
        if one.start < end || one.start >= one.end {
            return None;
        }
        end = one.end + 1;
    }
    let seen = Seen { floor, intervals };
    (seen.intervals.len() <= MAX_INTERVALS).then_some((id, seen))
}

fn interval(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once('-')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}
