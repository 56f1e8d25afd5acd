//! Messages as bytes.
//!
//! A message is `FTC1`, its kind, cluster, host and run, what the kind has, and a checksum
//! of 16 bytes. A part has an entry for each metric and lineage: the number of the lineage,
//! and a saved state of this metric alone, with its filter as the note.

use std::fmt;

use fantail_metrics::{
    internal::{Decoder, Encoder, Malformed, hash, of_metrics, read_limited},
    state,
};

use super::{
    FoldHead, PartId, RunId, SLOTS, Values,
    values::{Counted, is_of_part},
};
use crate::SchemaId;

const MAGIC: &[u8] = b"FTC1";
const CHECKSUM_BYTES: usize = 16;

/// The kinds of messages.
const HEAD: u64 = 0;
const BASE: u64 = 1;
const DELTA: u64 = 2;
const CLAIM: u64 = 3;
const FOLD: u64 = 4;

/// What a part message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// All series, or one of several messages with them.
    Base {
        /// The number of this message, from 0.
        chunk: u16,
        /// The number of messages.
        chunks: u16,
    },
    /// The series that changed after the version `since`.
    Delta {
        /// The version that a reader needs for this delta to be complete.
        since: u64,
        /// The slot, below [`SLOTS`].
        slot: u8,
    },
}

/// The head of a run: which versions are the newest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunHead {
    /// The number of this head, which rises.
    pub version: u64,
    /// The version of each part that has one.
    pub parts: Vec<(PartId, u64)>,
    /// Whether the run has ended.
    pub is_closed: bool,
}

/// A part of a run at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPart {
    /// The part.
    pub part: PartId,
    /// The version of the part, which rises with each message.
    pub version: u64,
    /// The kind of message.
    pub contents: Contents,
}

/// A message that says which versions are the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadMessage {
    /// The cluster.
    pub cluster: Vec<u8>,
    /// The host.
    pub host: Vec<u8>,
    /// The run.
    pub run: RunId,
    /// What it says.
    pub head: RunHead,
}

/// A message that says that a run is going to be folded: its host must begin a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMessage {
    /// The cluster.
    pub cluster: Vec<u8>,
    /// The host.
    pub host: Vec<u8>,
    /// The run.
    pub run: RunId,
}

/// A message that says what is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldMessage {
    /// The cluster.
    pub cluster: Vec<u8>,
    /// What it says.
    pub head: FoldHead,
}

/// A message with values of a part.
#[derive(Debug, Clone)]
pub struct PartMessage {
    /// The cluster.
    pub cluster: Vec<u8>,
    /// The host.
    pub host: Vec<u8>,
    /// The run.
    pub run: RunId,
    /// Which values it has.
    pub part: RunPart,
    /// The values.
    pub values: Values,
}

/// A message of a host, or of a fold process: its parts have the empty name as host.
#[derive(Debug, Clone)]
pub enum Message {
    /// Which versions are the newest.
    Head(HeadMessage),
    /// A run is folded.
    Claim(ClaimMessage),
    /// What is folded.
    Fold(FoldMessage),
    /// Values.
    Part(PartMessage),
}

/// The bytes are not a message, are damaged, or have a later format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageError;

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message is damaged, or of a later format")
    }
}

impl std::error::Error for MessageError {}

impl From<Malformed> for MessageError {
    fn from(_: Malformed) -> Self {
        Self
    }
}

/// Begins a message.
fn begin((cluster, host, run): (&[u8], &[u8], RunId), kind: u64) -> Encoder {
    let mut out = Encoder::default();
    out.fixed(MAGIC);
    out.number(kind);
    out.string(cluster);
    out.string(host);
    out.fixed(&run.to_be_bytes());
    out
}

fn end(out: Encoder) -> Vec<u8> {
    let mut bytes = out.bytes;
    bytes.extend_from_slice(&hash(&bytes).to_be_bytes());
    bytes
}

impl HeadMessage {
    /// Returns the message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = begin((&self.cluster, &self.host, self.run), HEAD);
        let head = &self.head;
        let parts = head.parts.len() as u64;
        out.numbers(&[head.version, head.is_closed.into(), parts]);
        for (part, version) in &head.parts {
            out.numbers(&[(*part).into(), *version]);
        }
        end(out)
    }
}

impl ClaimMessage {
    /// Returns the message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        end(begin((&self.cluster, &self.host, self.run), CLAIM))
    }
}

impl FoldMessage {
    /// Returns the run in the subject: heads of folds take turns on two subjects, so that the
    /// one before is there if the broker loses the last one.
    pub(super) fn slot(&self) -> RunId {
        RunId::from(self.head.version % 2)
    }

    /// Returns the message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = begin((&self.cluster, &[], self.slot()), FOLD);
        let head = &self.head;
        out.numbers(&[head.version, head.folded, head.incomplete]);
        out.fixed(&head.attempt.to_be_bytes());
        out.number(head.parts.len() as u64);
        head.parts
            .iter()
            .for_each(|part| out.number((*part).into()));
        out.number(head.runs.len() as u64);
        head.runs
            .iter()
            .for_each(|run| out.fixed(&run.to_be_bytes()));
        end(out)
    }
}

/// Writes a part message with metrics, each with the number of its lineage.
pub(super) fn write_part(
    source: (&[u8], &[u8], RunId),
    part: RunPart,
    metrics: &[(u64, Counted)],
) -> Vec<u8> {
    let (kind, [first, second]) = match part.contents {
        Contents::Base { chunk, chunks } => (BASE, [chunk.into(), chunks.into()]),
        Contents::Delta { since, slot } => (DELTA, [since, slot.into()]),
    };
    let mut out = begin(source, kind);
    out.numbers(&[part.part.into(), part.version, first, second]);
    out.number(metrics.len() as u64);
    for (lineage, counted) in metrics {
        let alone = of_metrics(counted.dialect, vec![counted.metric.clone()]);
        out.number(*lineage);
        out.string(&state::write(&alone, |_| counted.filter.to_vec()));
    }
    end(out)
}

impl Message {
    /// Decodes a message with at most this many distributions: each series has one, and
    /// one more for each field of its metric.
    ///
    /// # Errors
    /// The bytes are not a message, are damaged, exceed the limit, or have a later format.
    pub fn read(bytes: &[u8], distributions: usize) -> Result<Self, MessageError> {
        let length = bytes.len().checked_sub(CHECKSUM_BYTES);
        let (body, sum) = bytes.split_at(length.ok_or(MessageError)?);
        if hash(body).to_be_bytes() != sum {
            return Err(MessageError);
        }
        let mut from = Decoder::new(body.strip_prefix(MAGIC).ok_or(MessageError)?);
        let kind = from.number()?;
        let (cluster, host) = (from.string()?.to_vec(), from.string()?.to_vec());
        let run = run_id(&mut from)?;
        let message = match kind {
            HEAD => Self::Head(HeadMessage {
                cluster,
                host,
                run,
                head: head(&mut from)?,
            }),
            BASE | DELTA => {
                let part = part(kind, &mut from)?;
                Self::Part(PartMessage {
                    cluster,
                    host,
                    run,
                    part,
                    values: values(part.part, &mut from, distributions)?,
                })
            }
            CLAIM => Self::Claim(ClaimMessage { cluster, host, run }),
            FOLD if host.is_empty() => Self::Fold(FoldMessage {
                cluster,
                head: fold_head(&mut from)?,
            }),
            _ => return Err(MessageError),
        };
        from.rest.is_empty().then_some(message).ok_or(MessageError)
    }

    /// Returns cluster, host and run.
    #[must_use]
    pub fn source(&self) -> (&[u8], &[u8], RunId) {
        match self {
            Self::Head(head) => (&head.cluster, &head.host, head.run),
            Self::Claim(claim) => (&claim.cluster, &claim.host, claim.run),
            Self::Fold(fold) => (&fold.cluster, &[], fold.slot()),
            Self::Part(part) => (&part.cluster, &part.host, part.run),
        }
    }
}

fn small<T: TryFrom<u64>>(number: u64) -> Result<T, MessageError> {
    T::try_from(number).map_err(|_| MessageError)
}

fn run_id(from: &mut Decoder<'_>) -> Result<RunId, MessageError> {
    let bytes = <[u8; 16]>::try_from(from.fixed(16)?).map_err(|_| MessageError)?;
    Ok(RunId::from_be_bytes(bytes))
}

fn fold_head(from: &mut Decoder<'_>) -> Result<FoldHead, MessageError> {
    let [version, folded, incomplete] = from.numbers()?;
    let mut head = FoldHead {
        version,
        attempt: run_id(from)?,
        parts: Vec::new(),
        runs: Vec::new(),
        folded,
        incomplete,
    };
    for _ in 0..from.number()? {
        let part = small(from.number()?)?;
        if head.parts.last().is_some_and(|last| *last >= part) {
            return Err(MessageError);
        }
        head.parts.push(part);
    }
    for _ in 0..from.number()? {
        head.runs.push(run_id(from)?);
    }
    Ok(head)
}

fn head(from: &mut Decoder<'_>) -> Result<RunHead, MessageError> {
    let [version, is_closed, parts] = from.numbers()?;
    let mut head = RunHead {
        version,
        parts: Vec::new(),
        is_closed: is_closed == 1,
    };
    for _ in 0..parts {
        let [part, version] = from.numbers()?;
        let part = small(part)?;
        if head.parts.last().is_some_and(|(last, _)| *last >= part) {
            return Err(MessageError);
        }
        head.parts.push((part, version));
    }
    Ok(head)
}

fn part(kind: u64, from: &mut Decoder<'_>) -> Result<RunPart, MessageError> {
    let [part, version, first, second] = from.numbers()?;
    let contents = match kind {
        BASE => Contents::Base {
            chunk: small(first)?,
            chunks: small(second)?,
        },
        _ => Contents::Delta {
            since: first,
            slot: small(second)?,
        },
    };
    let fits = match contents {
        Contents::Base { chunk, chunks } => chunk < chunks,
        Contents::Delta { since, slot } => since < version && slot < SLOTS,
    };
    let part = small(part)?;
    let found = RunPart {
        part,
        version,
        contents,
    };
    fits.then_some(found).ok_or(MessageError)
}

/// Decodes the values of a part, which has no series of other parts.
fn values(
    part: PartId,
    from: &mut Decoder<'_>,
    mut distributions: usize,
) -> Result<Values, MessageError> {
    let mut values = Values::default();
    for _ in 0..from.number()? {
        let lineage = from.number()?;
        let state = read_limited(from.string()?, distributions).map_err(|_| MessageError)?;
        let mut metrics = state.metrics();
        let (Some((metric, filter)), None) = (metrics.next(), metrics.next()) else {
            return Err(MessageError);
        };
        let of_each = 1 + metric.settings().fields.len();
        distributions = distributions.saturating_sub(metric.series().len() * of_each);
        if !is_of_part(metric, part) {
            return Err(MessageError);
        }
        let dialect = state.dialect();
        let schema = SchemaId::of(dialect, metric.settings(), filter);
        let counted = Counted {
            dialect,
            filter: filter.into(),
            metric: metric.clone(),
        };
        values.insert(schema, lineage, counted);
    }
    Ok(values)
}
