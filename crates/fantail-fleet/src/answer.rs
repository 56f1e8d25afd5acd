//! The answer of a host, as bytes.
//!
//! An answer is a sequence of frames. A frame is its kind (one byte), the length of its
//! body (four bytes, the lowest first) and its body. The first frame is the head, the
//! last one the end; between them is a frame for each metric, whose body is a saved
//! state ([`fantail_metrics::state`]) of this metric alone, with its filter as the note.
//! Head and end have a checksum of 16 bytes at their end, as a state has.
//!
//! A frame is read as a whole before it is decoded, and [`AnswerLimits`] bound it: a host
//! cannot make its reader use more memory.

pub(crate) mod error;
pub(crate) mod write;

use std::{
    collections::HashSet,
    io::{self, Read as _},
};

use fantail_event::Dialect;
use fantail_metrics::{
    MetricSnapshot,
    internal::{Decoder, hash, read_limited},
};

use self::error::{AnswerError, AnswerErrorKind};
use crate::{SchemaId, counts::PartRange};

const MAGIC: &[u8] = b"fantail fleet\n";
/// The version of the answers that are written, and the newest that is read.
const VERSION: u64 = 1;
const CHECKSUM_BYTES: usize = 16;
/// The largest body of a head or an end.
const MAX_SMALL_BYTES: usize = 4 << 10;

/// The kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Head = 1,
    Metric = 2,
    End = 3,
}

/// What an aggregate has of the counts of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The cluster.
    pub cluster: Vec<u8>,
    /// The parts.
    pub parts: PartRange,
    /// Whether it has all that hosts have published of them.
    pub is_complete: bool,
}

/// The host that answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The host name.
    pub host: Vec<u8>,
    /// The version of fantail.
    pub version: Vec<u8>,
    /// A random id of the process.
    pub instance: [u8; 16],
    /// Seconds since the start of the process.
    pub uptime_seconds: u64,
    /// Connections of Dovecot's processes.
    pub connections: u64,
    /// Events that were read.
    pub events: u64,
    /// For an aggregate, its share of a cluster.
    pub share: Option<Share>,
}

/// The answer of a host.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The host.
    pub head: Head,
    /// The metrics of the answer.
    pub metrics: Vec<Answered>,
    /// See [`Selected::unseen`](crate::Selected::unseen).
    pub unseen: u128,
    /// See [`Selected::is_cut`](crate::Selected::is_cut).
    pub is_cut: bool,
}

/// A metric of an answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The identity of its definition.
    pub schema: SchemaId,
    /// The dialect.
    pub dialect: Dialect,
    /// The filter as the host prints it.
    pub filter: Vec<u8>,
    /// The metric with the series of the answer.
    pub metric: MetricSnapshot,
}

/// The limits of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimits {
    /// The largest number of bytes of one metric.
    pub metric_bytes: usize,
    /// The largest number of bytes of the answer.
    pub bytes: usize,
    /// The largest number of distributions: each series has one, and one more for each
    /// field of its metric. A distribution without values takes 40 bytes.
    pub distributions: usize,
}

impl Default for AnswerLimits {
    /// Returns 64 MiB a metric, 256 MiB in all, 4,000,000 distributions.
    fn default() -> Self {
        Self {
            metric_bytes: 64 << 20,
            bytes: 256 << 20,
            distributions: 4_000_000,
        }
    }
}

impl Answer {
    /// Reads an answer that [`write`](crate::write()) wrote, to its end.
    ///
    /// # Errors
    /// The bytes are no answer, end before it does, are damaged, exceed a limit, or
    /// cannot be read.
    pub fn read(from: &mut impl io::Read, limits: &AnswerLimits) -> Result<Self, AnswerError> {
        let mut frames = Frames {
            from,
            left: limits.bytes,
        };
        let (kind, body) = frames.next(MAX_SMALL_BYTES)?;
        if kind != Kind::Head {
            return Err(AnswerErrorKind::Malformed.into());
        }
        let mut answer = Self {
            head: head(&body)?,
            metrics: Vec::new(),
            unseen: 0,
            is_cut: false,
        };
        let mut distributions = limits.distributions;
        let mut names = HashSet::new();
        loop {
            let (kind, body) = frames.next(limits.metric_bytes)?;
            match kind {
                Kind::Head => return Err(AnswerErrorKind::Malformed.into()),
                Kind::Metric => {
                    let metric = metric(&body, distributions)?;
                    if !names.insert(metric.metric.settings().name.clone()) {
                        return Err(AnswerErrorKind::Malformed.into());
                    }
                    distributions = distributions.saturating_sub(distributions_of(&metric.metric));
                    answer.metrics.push(metric);
                }
                Kind::End => {
                    answer.end(&body)?;
                    return Ok(answer);
                }
            }
        }
    }

    fn end(&mut self, body: &[u8]) -> Result<(), AnswerErrorKind> {
        let mut from = Decoder::new(checked(body)?);
        let [metrics, high, low, is_cut] = from.numbers()?;
        if metrics != self.metrics.len() as u64 || is_cut > 1 || !from.rest.is_empty() {
            return Err(AnswerErrorKind::Malformed);
        }
        self.unseen = u128::from(high) << 64 | u128::from(low);
        self.is_cut = is_cut == 1;
        Ok(())
    }
}

fn distributions_of(metric: &MetricSnapshot) -> usize {
    metric.series().len() * (1 + metric.settings().fields.len())
}

/// Decodes a head.
fn head(body: &[u8]) -> Result<Head, AnswerErrorKind> {
    let rest = body.strip_prefix(MAGIC);
    let rest = rest.ok_or(AnswerErrorKind::NotAnAnswer)?;
    if Decoder::new(rest).number()? != VERSION {
        return Err(AnswerErrorKind::UnknownVersion);
    }
    let body = checked(body)?;
    let mut from = Decoder::new(body.get(MAGIC.len()..).unwrap_or_default());
    from.number()?;
    let (host, version) = (from.string()?.to_vec(), from.string()?.to_vec());
    let instance = from.fixed(16)?;
    let instance = <[u8; 16]>::try_from(instance).map_err(|_| AnswerErrorKind::Malformed)?;
    let [uptime_seconds, connections, events] = from.numbers()?;
    // More may follow in a later version.
    let share = match from.rest.is_empty() {
        true => None,
        false => share(&mut from)?,
    };
    Ok(Head {
        host,
        version,
        instance,
        uptime_seconds,
        connections,
        events,
        share,
    })
}

/// Decodes the share of an aggregate.
fn share(from: &mut Decoder<'_>) -> Result<Option<Share>, AnswerErrorKind> {
    if from.number()? == 0 {
        return Ok(None);
    }
    let cluster = from.string()?.to_vec();
    let [first, last, is_complete] = from.numbers()?;
    let ends = u8::try_from(first).ok().zip(u8::try_from(last).ok());
    let parts = ends.and_then(|(first, last)| PartRange::new(first, last).ok());
    Ok(Some(Share {
        cluster,
        parts: parts.ok_or(AnswerErrorKind::Malformed)?,
        is_complete: is_complete == 1,
    }))
}

/// Decodes a metric.
fn metric(body: &[u8], distributions: usize) -> Result<Answered, AnswerErrorKind> {
    let state = read_limited(body, distributions)?;
    let mut metrics = state.metrics();
    let (Some((metric, filter)), None) = (metrics.next(), metrics.next()) else {
        return Err(AnswerErrorKind::Malformed);
    };
    Ok(Answered {
        schema: SchemaId::of(state.dialect(), metric.settings(), filter),
        dialect: state.dialect(),
        filter: filter.to_vec(),
        metric: metric.clone(),
    })
}

/// Returns the bytes before the checksum.
fn checked(body: &[u8]) -> Result<&[u8], AnswerErrorKind> {
    let length = body.len().checked_sub(CHECKSUM_BYTES);
    let (bytes, sum) = body.split_at(length.ok_or(AnswerErrorKind::CutOff)?);
    let is_right = hash(bytes).to_le_bytes() == sum;
    is_right.then_some(bytes).ok_or(AnswerErrorKind::Checksum)
}

/// The frames of an answer.
struct Frames<'r, R> {
    from: &'r mut R,
    /// Bytes that may still be read.
    left: usize,
}

impl<R: io::Read> Frames<'_, R> {
    /// Reads a frame of at most this many bytes. Memory grows with the bytes that come,
    /// not with the length that the frame states.
    fn next(&mut self, most: usize) -> Result<(Kind, Vec<u8>), AnswerError> {
        let mut header = [0; 5];
        self.from.read_exact(&mut header)?;
        let [kind, length @ ..] = header;
        let kind = match kind {
            1 => Kind::Head,
            2 => Kind::Metric,
            3 => Kind::End,
            _ => return Err(AnswerErrorKind::NotAnAnswer.into()),
        };
        let length = u32::from_le_bytes(length);
        let fitting = usize::try_from(length).ok();
        let fitting = fitting.filter(|length| *length <= most.min(self.left));
        let length = fitting.ok_or(AnswerErrorKind::TooLong)?;
        self.left -= length;
        let mut body = Vec::new();
        let read = self
            .from
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut body)?;
        if read < length {
            return Err(AnswerErrorKind::CutOff.into());
        }
        Ok((kind, body))
    }
}
