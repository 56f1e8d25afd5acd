//! The state file: saves, a start and the removal of left-overs at the same time.

use std::sync::Arc;

use fantail_event::Dialect;
use fantail_metrics::{MetricSettings, Registry, state};
use fantail_server::StateFile;
use fantail_simulate::system::SIMULATED;
use shuttle::thread;

use crate::check;

/// Returns a state with this many metrics.
fn bytes(metrics: usize) -> Vec<u8> {
    let mut registry = Registry::new(Dialect::V2_4);
    for metric in 0..metrics {
        let settings = MetricSettings {
            name: metric.to_string().into_bytes(),
            ..MetricSettings::default()
        };
        registry.add(settings).unwrap();
    }
    state::write(&registry.snapshot(), |_| Vec::new())
}

fn read(file: &StateFile) -> usize {
    let state = file.read().unwrap();
    state.map_or(0, |state| state.metrics().count())
}

#[test]
fn a_reader_finds_a_whole_state() {
    check(|| {
        let file = Arc::new(StateFile::on(&SIMULATED, "/state"));
        let writers: Vec<_> = [1, 2]
            .map(|metrics| {
                let file = Arc::clone(&file);
                thread::spawn(move || file.write(&bytes(metrics)).unwrap())
            })
            .into();
        assert!((0..=2).contains(&read(&file)));
        for writer in writers {
            writer.join().unwrap();
        }
        assert!((1..=2).contains(&read(&file)));
        assert_eq!(file.remove_left_overs().unwrap(), 0);
    });
}
