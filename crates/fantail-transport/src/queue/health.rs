//! The state of the parts of a queue, and their last errors.

use std::{
    cmp::Reverse,
    error::Error,
    time::{Duration, UNIX_EPOCH},
};

use super::{LastError, Opening};

/// A part of a queue that fails and recovers on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The target of the transport.
    Target,
    /// The writing end of the spool, and its opening.
    Writer,
    /// The reading end of the spool.
    Reader,
}

/// The state of all parts.
#[derive(Debug)]
pub(super) struct Health {
    target: PartHealth,
    writer: PartHealth,
    reader: PartHealth,
    /// Number of failures, which orders them.
    failures: u64,
}

#[derive(Debug)]
struct PartHealth {
    was_opened: bool,
    /// The last error and its number; `None` after a success.
    error: Option<(u64, LastError)>,
}

impl Health {
    /// Returns the state of a queue with a target that is not open, and with a
    /// spool to be waited for, if `opens_spool`.
    pub(super) const fn new(opens_spool: bool) -> Self {
        const fn part(was_opened: bool) -> PartHealth {
            PartHealth {
                was_opened,
                error: None,
            }
        }
        Self {
            target: part(false),
            writer: part(!opens_spool),
            reader: part(true),
            failures: 0,
        }
    }

    const fn part(&mut self, part: Part) -> &mut PartHealth {
        match part {
            Part::Target => &mut self.target,
            Part::Writer => &mut self.writer,
            Part::Reader => &mut self.reader,
        }
    }

    /// Records a success.
    pub(super) fn works(&mut self, part: Part) {
        let part = self.part(part);
        part.was_opened = true;
        part.error = None;
    }

    /// Records a failure at a Unix time in milliseconds.
    pub(super) fn failed(&mut self, part: Part, error: &(dyn Error + 'static), millis: u64) {
        self.failures += 1;
        let millis = Duration::from_millis(millis);
        let last = LastError {
            message: error.to_string(),
            time: UNIX_EPOCH.checked_add(millis).unwrap_or(UNIX_EPOCH),
        };
        let number = self.failures;
        self.part(part).error = Some((number, last));
    }

    /// Returns whether target and spool have been opened.
    pub(super) fn opening(&self) -> Opening {
        let unopened = [&self.target, &self.writer];
        let unopened = unopened.into_iter().filter(|part| !part.was_opened);
        let mut opening = Opening::Open;
        for part in unopened {
            match &part.error {
                Some((_, error)) => return Opening::Failed(error.clone()),
                None => opening = Opening::Pending,
            }
        }
        opening
    }

    /// Returns the errors of all parts that do not work, the latest first, with
    /// its time: a target that is retried often must not hide a full disk.
    pub(super) fn last_error(&self) -> Option<LastError> {
        let parts = [&self.target, &self.writer, &self.reader];
        let errors = parts.into_iter().filter_map(|part| part.error.as_ref());
        let mut errors: Vec<&(u64, LastError)> = errors.collect();
        errors.sort_unstable_by_key(|(number, _)| Reverse(*number));
        let (_, latest) = errors.first()?;
        let messages: Vec<&str> = errors.iter().map(|(_, it)| it.message.as_str()).collect();
        Some(LastError {
            message: messages.join("; "),
            time: latest.time,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn all_parts_that_fail_are_named_until_they_work() {
        let mut health = Health::new(true);
        assert_eq!(health.last_error(), None);
        health.failed(Part::Writer, &io::Error::other("disk full"), 1);
        health.failed(Part::Target, &io::Error::other("refused"), 2);
        let message = |health: &Health| health.last_error().map(|error| error.message);
        assert_eq!(message(&health).unwrap(), "refused; disk full");
        health.works(Part::Target);
        assert_eq!(message(&health).unwrap(), "disk full");
        health.works(Part::Writer);
        assert_eq!(message(&health), None);
    }
}
