//! The state file.
//!
//! The input is a file, and also the part of a file between its header and its
//! checksum, which no fuzzer can guess.

use std::collections::BTreeMap;

use fantail_event::Dialect;
use fantail_metrics::{
    HeavyHitters, Percentile, Registry, Snapshot,
    state::{self, State},
};

/// A valid state can be restored, twice, and written again as the same metrics;
/// its memory is in proportion to its bytes.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn state_file(data: &[u8]) {
    for file in [data, &framed(data)] {
        if let Ok(state) = state::read(file) {
            is_of_use(&state, file.len());
        }
    }
}

fn is_of_use(state: &State, length: usize) {
    let series = state
        .metrics()
        .flat_map(|(metric, _)| metric.series().iter());
    let kept: usize = series.map(|one| one.distributions().len()).sum();
    assert!(kept <= length, "{kept} distributions of {length} bytes");
    let tops = state.metrics().filter_map(|(metric, _)| metric.top());
    let bytes: usize = tops.map(HeavyHitters::heap_bytes).sum();
    assert!(
        bytes <= 64 * length,
        "{bytes} bytes of counters of {length} bytes"
    );
    let mut registry = Registry::new(state.dialect());
    let mut notes = BTreeMap::new();
    for (metric, note) in state.metrics() {
        let settings = metric.settings();
        registry.add(settings.clone()).expect("settings of a state");
        notes.insert(settings.name.clone(), note.to_vec());
    }
    let mut snapshot = registry.snapshot();
    let restored = snapshot.restore(state.clone(), |_, _| true);
    assert_eq!((restored.metrics, restored.left_out), (notes.len(), 0));
    let written = state::write(&snapshot, |settings| notes[&settings.name].clone());
    let again = state::read(&written).expect("a state that was written");
    for ((one, note), (other, same_note)) in again.metrics().zip(state.metrics()) {
        assert_eq!((one.settings(), note), (other.settings(), same_note));
    }
    let mut once_more = registry.snapshot();
    once_more.restore(again, |_, _| true);
    assert_eq!(contents(&once_more), contents(&snapshot));
    registry.restore(state, |_, _| true);
    // The sums become as large as possible.
    registry.restore(state, |_, _| true);
    contents(&registry.snapshot());
}

/// Returns all labels and numbers, by path.
fn contents(snapshot: &Snapshot) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut all = BTreeMap::new();
    for metric in snapshot.metrics() {
        let mut path = vec![metric.settings().name.escape_ascii().to_string()];
        for series in metric.series().iter() {
            path.truncate(series.depth() + 1);
            path.push(format!("{:?}", series.label()));
            let mut numbers = vec![format!("{:?}", series.own_sum())];
            for one in series.distributions() {
                let (min, max, median) = (one.min(), one.max(), one.median());
                let last = one.percentile(Percentile::P95);
                let ends = format!("{} {} {min} {median} {last} {max}", one.count(), one.sum());
                assert!(one.count() == 0 || min <= median && median <= max, "{ends}");
                numbers.push(ends);
            }
            assert_eq!(all.insert(path.clone(), numbers), None, "{path:?} twice");
        }
        path.truncate(1);
        for one in metric.top().into_iter().flat_map(HeavyHitters::iter) {
            let path = [
                path.clone(),
                vec!["top".to_owned(), format!("{:?}", one.label)],
            ]
            .concat();
            let numbers = vec![one.counted.to_string(), one.error.to_string()];
            assert_eq!(all.insert(path.clone(), numbers), None, "{path:?} twice");
        }
    }
    all
}

/// Adds a header and a checksum: FNV-1a with 128 bits.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = state::write(&Registry::new(Dialect::V2_4).snapshot(), |_| Vec::new());
    bytes.truncate("fantail state\n".len() + 4);
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(body);
    let start = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let sum = bytes.iter().fold(start, |sum, byte| {
        (sum ^ u128::from(*byte)).wrapping_mul((1 << 88) + 0x13b)
    });
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}
