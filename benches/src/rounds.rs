//! Comparisons on busy machines: all candidates take turns, so that a
//! disturbance slows a whole round, and only ratios within a round are
//! compared.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// A candidate: its name, and one turn.
pub type Turn<'t> = (&'t str, &'t mut dyn FnMut());

/// The result of one candidate.
#[derive(Debug, Clone)]
pub struct Row {
    /// The name.
    pub name: String,
    /// The fastest turn.
    pub fastest: Duration,
    /// The time of the first candidate as a multiple of this one's: the median
    /// of all rounds.
    pub speed: f64,
}

/// Runs all candidates in turn for this number of rounds, after one that does
/// not count.
pub fn take_turns(rounds: usize, all: &mut [Turn<'_>]) -> Vec<Row> {
    let mut times: Vec<Vec<Duration>> = all.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for ((_, turn), times) in all.iter_mut().zip(&mut times) {
            let start = Instant::now();
            black_box(&mut **turn)();
            if round > 0 {
                times.push(start.elapsed());
            }
        }
    }
    let first = times.first().cloned().unwrap_or_default();
    let rows = all.iter().zip(&times).map(|((name, _), times)| {
        let ratios = first.iter().zip(times);
        let ratios = ratios.map(|(first, time)| first.as_secs_f64() / time.as_secs_f64());
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        Row {
            name: (*name).to_owned(),
            fastest: times.iter().copied().min().unwrap_or_default(),
            speed: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
        }
    });
    rows.collect()
}
