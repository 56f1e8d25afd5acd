//! The fold role of an aggregate: ended runs become a sum, and leave the stream.

use std::{io, sync::Arc, time::Duration};

use fantail_fleet::counts::{FoldOrder, FoldRules, Folder, Removable};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    NatsOptions,
    connection::{Connection, Outcome},
    publish::random_run,
    reader::Shared,
    stream,
};
use crate::Log;

/// When ended runs are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldOptions {
    /// The time between folds, and from a fold to the removal of the messages that it
    /// replaces: longer than the broker takes to write messages to its disk.
    pub interval: Duration,
    /// The time without messages after which a run that has not ended is folded.
    pub retire_after: Duration,
}

impl Default for FoldOptions {
    /// Returns 10 minutes and 7 days.
    fn default() -> Self {
        let rules = FoldRules::default();
        Self {
            interval: rules.remove_after,
            retire_after: rules.retire_after,
        }
    }
}

/// Folds what an aggregate reads.
pub(super) struct Folding {
    options: NatsOptions,
    fold: FoldOptions,
    connection: Connection,
    shared: Arc<Shared>,
    log: Log,
    folder: Folder,
    /// The reading of the stream and the connection that the folder belongs to.
    basis: (u64, u64),
    /// Whether the log has been told that the broker refuses.
    has_failed: bool,
}

impl Folding {
    pub(super) fn new(
        options: NatsOptions,
        fold: FoldOptions,
        (connection, shared): (Connection, Arc<Shared>),
        log: Log,
    ) -> Self {
        Self {
            folder: new_folder(&options, fold),
            options,
            fold,
            connection,
            shared,
            log,
            basis: (0, 0),
            has_failed: false,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            sleep(self.fold.interval).await;
            if let Err(error) = self.turn().await
                && !std::mem::replace(&mut self.has_failed, true)
            {
                self.log
                    .say(format_args!("ended runs are not folded: {error}"));
            }
        }
    }

    /// Returns the reading and the connection, if all that the broker has is here.
    fn current(&self) -> Option<(u64, u64)> {
        let link = *self.connection.link.borrow();
        let state = self.shared.state();
        let is_current = link.is_up && state.is_ready && !state.is_behind;
        is_current.then_some((state.readings, link.connections))
    }

    /// Folds what has ended, and removes what earlier turns have replaced. It ends with the
    /// connection: the broker may have lost messages then.
    async fn turn(&mut self) -> io::Result<()> {
        let Some(basis) = self.current() else {
            return Ok(());
        };
        if std::mem::replace(&mut self.basis, basis) != basis {
            self.folder = new_folder(&self.options, self.fold);
        }
        self.begin();
        let mut has_fold = None;
        while let Some(order) = self.folder.next_order() {
            if self.current() != Some(basis) {
                return Ok(());
            }
            let is_done = match order {
                FoldOrder::Publish { message, expected } => {
                    let publish =
                        self.connection
                            .publish(&message.subject, expected, message.bytes);
                    self.note(publish.await)
                }
                FoldOrder::Remove { what, subjects } => {
                    let has_fold = match has_fold {
                        Some(has_fold) => has_fold,
                        None => *has_fold.insert(self.has_fold().await?),
                    };
                    if has_fold {
                        self.remove(&what, &subjects).await?;
                    }
                    has_fold
                }
            };
            self.folder.answered(is_done);
        }
        Ok(())
    }

    fn begin(&mut self) {
        let now = self.shared.since.elapsed();
        let state = self.shared.state();
        self.folder.begin(&state.aggregator, random_run(), now);
    }

    /// Notes what became of a message; returns whether it is stored.
    fn note(&mut self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Stored(_) => self.has_failed = false,
            // Another process folds, too.
            Outcome::WrongSequence(_) => {}
            Outcome::Failed => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    self.log.say(format_args!(
                        "ended runs are not folded: the broker does not store the fold; may this \
                         user publish to fantail.c1.>?"
                    ));
                }
            }
        }
        matches!(outcome, Outcome::Stored(_))
    }

    /// Returns whether the stream has all messages of the fold: what it replaces is removed
    /// only then.
    async fn has_fold(&self) -> io::Result<bool> {
        let cluster = &self.options.cluster;
        let known = self.shared.state().aggregator.folded_subjects(cluster);
        let Some((filter, wanted)) = known else {
            return Ok(true);
        };
        let name = stream::name(&self.options);
        let asked = format!("$JS.API.STREAM.INFO.{name}");
        let question = json!({ "subjects_filter": filter });
        let info = self.connection.ask(asked, &question).await?;
        let subjects = info.pointer("/state/subjects").and_then(Value::as_object);
        Ok(subjects.map_or(0, serde_json::Map::len) >= wanted)
    }

    async fn remove(&self, what: &Removable, subjects: &[String]) -> io::Result<()> {
        let name = stream::name(&self.options);
        for subject in subjects {
            let purge = format!("$JS.API.STREAM.PURGE.{name}");
            let filter = json!({ "filter": subject });
            self.connection.ask(purge, &filter).await?;
        }
        self.shared.state().aggregator.removed(what);
        Ok(())
    }
}

fn new_folder(options: &NatsOptions, fold: FoldOptions) -> Folder {
    let rules = FoldRules {
        retire_after: fold.retire_after,
        remove_after: fold.interval,
    };
    Folder::new(options.cluster.clone(), rules)
}
