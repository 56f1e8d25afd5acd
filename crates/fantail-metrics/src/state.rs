//! Saved counts: metrics as bytes that survive a restart.
//!
//! [`write`](fn@write) and [`read`] convert a snapshot to bytes and back; the
//! caller reads and writes the file. [`Registry::restore`] adds the counts to a
//! registry. Quantiles stay as exact as before: few values are saved exactly,
//! many as the bins of their sketch.
//!
//! The bytes are: `fantail state` and an end of line, the version and the
//! length of the body, the metrics, and a checksum of everything before it. A
//! file that is cut off, corrupted or of a later version is an error. So is
//! data that no registry can have written, even with a valid checksum. Reading
//! uses memory in proportion to the input: at most about 130 bytes for each
//! byte.

mod error;
mod load;
mod restore;
mod save;

use fantail_event::Dialect;

pub use self::error::{StateError, StateErrorKind};
#[allow(unused_imports, reason = "the documentation links to it")]
use crate::Registry;
use crate::{
    MetricSettings, MetricSnapshot, Snapshot,
    encoding::{Decoder, Encoder},
    label::hash,
};

const MAGIC: &[u8] = b"fantail state\n";
/// The version of states without heavy hitters, and that of states with them.
const VERSIONS: [u32; 2] = [1, 2];
const HEADER_BYTES: usize = MAGIC.len() + 4 + 8;
const CHECKSUM_BYTES: usize = 16;

/// A saved state: metrics with their series, each with the note of its owner.
#[derive(Debug, Clone)]
pub struct State {
    dialect: Dialect,
    metrics: Vec<(MetricSnapshot, Vec<u8>)>,
}

/// The numbers of metrics that [`Registry::restore`] restored and omitted.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_metrics::{MetricSettings, Registry, state};
///
/// let settings = MetricSettings { name: b"logins".to_vec(), ..MetricSettings::default() };
/// let mut registry = Registry::new(Dialect::V2_4);
/// registry.add(settings.clone())?;
/// let bytes = state::write(&registry.snapshot(), |_| Vec::new());
///
/// let saved: state::State = state::read_limited(&bytes, 1 << 20)?;
/// let mut later = Registry::new(Dialect::V2_4);
/// later.add(settings)?;
/// let restored: state::Restored = later.restore(&saved, |_, _| true);
/// assert_eq!((restored.metrics, restored.left_out), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Metrics with restored values.
    pub metrics: usize,
    /// Metrics that no longer exist or have different settings.
    pub left_out: usize,
}

impl State {
    /// Returns the dialect of the registry.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the metrics in order, each with its note.
    pub fn metrics(&self) -> impl Iterator<Item = (&MetricSnapshot, &[u8])> {
        self.metrics.iter().map(|(metric, note)| (metric, &**note))
    }

    pub(crate) fn into_metrics(self) -> impl Iterator<Item = (MetricSnapshot, Vec<u8>)> {
        self.metrics.into_iter()
    }
}

/// Converts a snapshot to bytes. `note` adds data to each metric, for the owner
/// to recognise it later: the text of its filter, for example, which a registry
/// does not know.
///
/// ```
/// # use fantail_event::Dialect;
/// # use fantail_metrics::{MetricSettings, Registry, state};
/// let metric = |name: &[u8]| MetricSettings {
///     name: name.to_vec(),
///     ..MetricSettings::default()
/// };
/// let mut before = Registry::new(Dialect::V2_4);
/// before.add(metric(b"logins"))?;
/// before.add(metric(b"mails"))?;
/// let saved = state::write(&before.snapshot(), |_| b"event=x".to_vec());
///
/// let mut after = Registry::new(Dialect::V2_4);
/// after.add(metric(b"logins"))?;
/// let restored = after.restore(&state::read(&saved)?, |_, filter| filter == b"event=x");
/// assert_eq!((restored.metrics, restored.left_out), (1, 1));
///
/// let cut = state::read(&saved[..saved.len() - 1]).unwrap_err();
/// assert_eq!(cut.to_string(), "the state is cut off");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(snapshot: &Snapshot, mut note: impl FnMut(&MetricSettings) -> Vec<u8>) -> Vec<u8> {
    let mut out = Encoder::default();
    let mut metrics = snapshot.metrics().iter();
    let with_top = metrics.any(|metric| metric.top().is_some());
    out.fixed(MAGIC);
    out.fixed(&VERSIONS[usize::from(with_top)].to_le_bytes());
    out.fixed(&[0; 8]);
    save::metrics(snapshot, with_top, &mut note, &mut out);
    let mut bytes = out.bytes;
    let length = (bytes.len() - HEADER_BYTES) as u64;
    if let Some(length_field) = bytes.get_mut(HEADER_BYTES - 8..HEADER_BYTES) {
        length_field.copy_from_slice(&length.to_le_bytes());
    }
    let checksum = hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads a state that [`write`](fn@write) wrote.
///
/// # Errors
/// The bytes are not a state, are cut off or damaged, or have an unknown
/// version.
pub fn read(bytes: &[u8]) -> Result<State, StateError> {
    read_limited(bytes, usize::MAX)
}

/// Reads a state with at most `distributions` distributions: one for each series, and
/// one for each of its fields. Memory is bounded by their number, and in proportion to
/// the bytes.
///
/// # Errors
/// As [`read`], and [`StateErrorKind::Malformed`] for more distributions.
#[doc(hidden)]
pub fn read_limited(bytes: &[u8], distributions: usize) -> Result<State, StateError> {
    let (body, with_top) = body(bytes).map_err(StateError::new)?;
    let mut reader = Decoder::with_limit(body, distributions);
    let state = load::state(&mut reader, with_top).map_err(StateError::new)?;
    if !reader.rest.is_empty() {
        return Err(StateError::new(StateErrorKind::Malformed));
    }
    Ok(state)
}

/// Returns the settings of a metric as bytes, without its name and description: the
/// counts of two metrics with the same bytes can be added.
#[doc(hidden)]
#[must_use]
pub fn settings_bytes(settings: &MetricSettings) -> Vec<u8> {
    let mut out = Encoder::default();
    save::counting(settings, &mut out);
    if let Some(top) = &settings.top {
        save::top_settings(top, &mut out);
    }
    out.bytes
}

/// Returns the bytes between header and checksum, after checking both, and whether
/// metrics may have heavy hitters.
fn body(bytes: &[u8]) -> Result<(&[u8], bool), StateErrorKind> {
    if !bytes.starts_with(MAGIC) && !MAGIC.starts_with(bytes) {
        return Err(StateErrorKind::NotAState);
    }
    let mut reader = Decoder::new(bytes);
    let cut = |_| StateErrorKind::CutOff;
    reader.fixed(MAGIC.len()).map_err(cut)?;
    let version = reader.fixed(4).map_err(cut)?;
    let known = VERSIONS.map(u32::to_le_bytes);
    let Some(version) = known.iter().position(|known| known == version) else {
        return Err(StateErrorKind::UnknownVersion);
    };
    let length = reader.fixed(8).map_err(cut)?;
    let length = <[u8; 8]>::try_from(length).map_or(u64::MAX, u64::from_le_bytes);
    let length = usize::try_from(length).map_err(|_| StateErrorKind::CutOff)?;
    let body = reader.fixed(length).map_err(cut)?;
    let checksum = reader.fixed(CHECKSUM_BYTES).map_err(cut)?;
    if !reader.rest.is_empty() {
        return Err(StateErrorKind::Malformed);
    }
    let covered = bytes
        .get(..bytes.len() - CHECKSUM_BYTES)
        .unwrap_or_default();
    if hash(covered).to_le_bytes() != checksum {
        return Err(StateErrorKind::Checksum);
    }
    Ok((body, version > 0))
}
