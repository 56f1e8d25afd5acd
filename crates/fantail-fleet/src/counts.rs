//! Counts through a stream that keeps the last message of each subject.
//!
//! A *run* is a start of a process: it has a random id, starts empty, and only grows. Its
//! series are divided into 256 *parts* by a hash of the metric and the first label. A
//! host publishes a part as a *base* (all its series) or a *delta* (the series that
//! changed), and then a *head*, which names the version of each part. Readers join the
//! values that they see.
//!
//! Within a *lineage* (a metric of one worker, until it starts from zero) a series is never
//! removed, and its number of events only rises: of two values, that with more events is
//! the newer. So joining is a semilattice: order, repeats and restarts change nothing.
//!
//! Ended runs are *folded*: a [`Folder`] publishes the sum of their values, and names the
//! runs whose own messages do not count any more. So the total stays, and the stream is as
//! large as what runs.
//!
//! The values of a message are saved states of [`fantail_metrics::state`], as in an
//! [`Answer`](crate::Answer). The module has no connection and no clock:
//! a [`Session`] and an [`Aggregator`] get inputs and a time.

mod aggregator;
mod fences;
mod folder;
mod message;
mod progress;
mod publisher;
mod range;
mod session;
mod source;
mod subject;
mod values;

use fantail_metrics::{
    Label,
    internal::{Encoder, hash},
};

pub use self::{
    aggregator::{
        Aggregator, AggregatorLimits, Arrival, Behind, Completeness, Removable, RunState, Totals,
    },
    folder::{FoldHead, FoldOrder, FoldRules, Folder},
    message::{
        ClaimMessage, Contents, FoldMessage, HeadMessage, Message, MessageError, PartMessage,
        RunHead, RunPart,
    },
    publisher::{PartOrder, PublisherRules},
    range::{PartRange, PartRangeError},
    session::{Batched, Filters, MessageBatch, Outgoing, Session, WorkerCounts},
    subject::{Subject, Topic, token},
    values::{Counted, Values},
};

use self::{
    fences::Fences,
    publisher::{Publisher, PublisherInput},
    source::{Published, Shard},
};

/// The number of parts of a run.
pub const PARTS: usize = 256;

/// The number of slots for the deltas of a part.
pub const SLOTS: u8 = 16;

/// The bits of a lineage that number the countings of a worker; the others number the
/// worker.
const EPOCH: u64 = (1 << 48) - 1;

/// The id of a run: 128 random bits.
pub type RunId = u128;

/// The number of a part.
pub type PartId = u8;

/// Returns the part of the series below a label of the first level; without a label, that
/// of the metric itself. It is a part of the format: all hosts have the same.
#[must_use]
pub fn part_of(metric: &[u8], first: Option<Label<'_>>) -> PartId {
    let mut key = Encoder::default();
    key.string(metric);
    match first {
        None => key.number(0),
        Some(Label::Value(value)) => {
            key.number(1);
            key.string(value);
        }
        Some(Label::Bucket(bucket)) => key.numbers(&[2, bucket.into()]),
        Some(Label::Other) => key.number(3),
        Some(Label::Missing) => key.number(4),
    }
    let hash = hash(&key.bytes);
    let [mixed, ..] = (hash ^ (hash >> 64))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
        .to_be_bytes();
    mixed
}
