//! Planted faults: what a careless program would do.
//!
//! A fault changes the effect of some calls, as if the program had left them out
//! or done them in another way. The simulation has to find each of them.

use std::path::Path;

use crate::call::Call;

/// A planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Fault {
    SegmentsAreNotSynced,
    NewSegmentsHaveNoSafeName,
    SpoolsHaveNoSafeName,
    PositionsAreNotSaved,
    PositionsAreNotSynced,
    PositionsHaveOneSlot,
    SettledSegmentsStay,
    LocksAreShared,
    HalfAWriteCountsAsWhole,
    AFullDiskCountsAsWritten,
    AFailedSyncCountsAsDone,
    AFailedReadCountsAsTheEnd,
    ASegmentIsForgotten,
    AgesByTheTimeOfDay,
    TargetsForget,
    SignalsAreLost,
    StatesAreNotSynced,
    RenamesAreNotSynced,
    StatesAreWrittenInPlace,
    RenamesHaveTwoSteps,
    StatesAreNotRenamed,
    LeftOversStay,
    HalfAStateCountsAsWhole,
    LinesAreNotSynced,
    FilesHaveNoSafeName,
    HalfALineCountsAsWhole,
    PartialLinesStay,
    TornEndsAreNotRead,
    RotatedFilesAreReplaced,
    AbandonedReloadsAreForgotten,
    LateResultsCount,
    LostAnswersCountAsStored,
    LateMessagesReplaceNewer,
    LostMessagesAreNotRepeated,
    RestoredStateIsPublished,
    RunIdsAreReused,
    EndingRunsAreNotPublished,
    DeltasAreAdded,
    GapsCountAsWhole,
    StaleRunsAreLeftOut,
    EventIdsChange,
    HighestNumbersCount,
    PositionsAreOlder,
    CollectedPositionsAreNotSynced,
    RunsAreRemovedBeforeTheFold,
    TheHeadOfTheFoldIsFirst,
    FoldsHaveNoFence,
    FoldedRunsCountTwice,
    FoldedRunsAreForgotten,
    FoldedRunsAreRemovedAtOnce,
    ClaimsAreNotAskedFor,
}

/// The changed effect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It counts as done and is not.
    Skip,
    /// It writes at the start of the file.
    AtStart,
    /// It writes half, and counts as done.
    HalfAsWhole,
    /// It counts as done also after an error.
    ErrorAsSuccess,
    /// The new file is the old one.
    InPlace,
    /// The old file is removed before the new one is renamed.
    InTwoSteps,
}

impl Fault {
    /// Returns the changed effect of a call on a file.
    pub(crate) fn effect_on(self, call: Call, path: &Path) -> Option<Effect> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A segment is written under the name that it has first.
        let is_segment = name.ends_with(".spool") || name == "segment.new";
        let is_new_state = name.starts_with("state.");
        let has_lines = name == "events" || name == ".events.new";
        let is_cursor = name == "cursor";
        let (affected, effect) = match self {
            Self::SegmentsAreNotSynced => (call == Call::Sync && is_segment, Effect::Skip),
            Self::NewSegmentsHaveNoSafeName => {
                (call == Call::SyncFolder && name == "spool", Effect::Skip)
            }
            Self::SpoolsHaveNoSafeName => {
                (call == Call::SyncFolder && name.is_empty(), Effect::Skip)
            }
            Self::PositionsAreNotSaved => (call == Call::Write && is_cursor, Effect::Skip),
            Self::PositionsAreNotSynced => (call == Call::Sync && is_cursor, Effect::Skip),
            Self::PositionsHaveOneSlot => (call == Call::Write && is_cursor, Effect::AtStart),
            Self::SettledSegmentsStay => (call == Call::Remove && is_segment, Effect::Skip),
            Self::LocksAreShared => (call == Call::Lock, Effect::Skip),
            Self::HalfAWriteCountsAsWhole => {
                (call == Call::Write && is_segment, Effect::HalfAsWhole)
            }
            Self::AFullDiskCountsAsWritten => {
                (call == Call::Write && is_segment, Effect::ErrorAsSuccess)
            }
            Self::AFailedSyncCountsAsDone => (call == Call::Sync, Effect::ErrorAsSuccess),
            Self::AFailedReadCountsAsTheEnd => {
                (call == Call::Read && is_segment, Effect::ErrorAsSuccess)
            }
            Self::ASegmentIsForgotten => (call == Call::List, Effect::Skip),
            Self::StatesAreNotSynced => (call == Call::Sync && is_new_state, Effect::Skip),
            Self::RenamesAreNotSynced => (call == Call::SyncFolder, Effect::Skip),
            Self::StatesAreWrittenInPlace => (
                matches!(call, Call::Open | Call::Rename) && is_new_state,
                Effect::InPlace,
            ),
            Self::RenamesHaveTwoSteps => (call == Call::Rename && is_new_state, Effect::InTwoSteps),
            Self::StatesAreNotRenamed => (call == Call::Rename && is_new_state, Effect::Skip),
            Self::LeftOversStay => (call == Call::Remove && is_new_state, Effect::Skip),
            Self::HalfAStateCountsAsWhole => {
                (call == Call::Write && is_new_state, Effect::HalfAsWhole)
            }
            Self::LinesAreNotSynced => (call == Call::Sync && has_lines, Effect::Skip),
            Self::FilesHaveNoSafeName => (call == Call::SyncFolder && name == "logs", Effect::Skip),
            Self::HalfALineCountsAsWhole => (call == Call::Write && has_lines, Effect::HalfAsWhole),
            Self::PartialLinesStay => (call == Call::SetSize && has_lines, Effect::Skip),
            Self::TornEndsAreNotRead => (call == Call::Read && has_lines, Effect::Skip),
            Self::RotatedFilesAreReplaced => {
                (call == Call::Rename && name == "events", Effect::Skip)
            }
            Self::CollectedPositionsAreNotSynced => (
                call == Call::Sync && name == "events.position.new",
                Effect::Skip,
            ),
            // Of calls that concern no file.
            _ => return None,
        };
        affected.then_some(effect)
    }
}
