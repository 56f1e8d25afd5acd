//! The memory and open files of a process over time, and whether they grow.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// A measurement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Since the first one.
    pub(super) at: Duration,
    pub(super) resident_bytes: f64,
    pub(super) open_files: f64,
}

/// Measures a process for some time, or until it is no longer alive.
pub(super) fn sample(
    pid: u32,
    time: Duration,
    interval: Duration,
    mut is_alive: impl FnMut() -> bool,
) -> Vec<Sample> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < time && is_alive() {
        samples.push(Sample {
            at: begun.elapsed(),
            resident_bytes: resident_bytes(pid),
            open_files: open_files(pid),
        });
        thread::sleep(interval);
    }
    samples
}

/// Returns the number of open files of a process.
pub(super) fn open_files(pid: u32) -> f64 {
    let folder = fs::read_dir(format!("/proc/{pid}/fd"));
    folder.map_or(0.0, |files| files.fold(0.0, |count, _| count + 1.0))
}

fn resident_bytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes.and_then(|it| it.parse().ok()).unwrap_or(0.0) * 1_024.0
}

/// A line through measurements, by least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trend {
    pub(super) mean: f64,
    /// The growth per second.
    pub(super) slope: f64,
    /// The standard error of the slope.
    pub(super) error: f64,
}

impl Trend {
    /// Returns the trend of values by their seconds.
    pub(super) fn of(points: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let count = points
            .clone()
            .fold(0.0, |count, _| count + 1.0_f64)
            .max(1.0);
        let sum = |of: fn((f64, f64)) -> f64| points.clone().map(of).sum::<f64>() / count;
        let (middle, mean) = (sum(|(at, _)| at), sum(|(_, value)| value));
        let (mut spread, mut both) = (0.0, 0.0);
        for (at, value) in points.clone() {
            spread += (at - middle).powi(2);
            both += (at - middle) * (value - mean);
        }
        if spread <= 0.0 {
            return Self {
                mean,
                slope: 0.0,
                error: 0.0,
            };
        }
        let slope = both / spread;
        let left: f64 = points
            .map(|(at, value)| (value - mean - slope * (at - middle)).powi(2))
            .sum();
        let error = (left / (count - 2.0).max(1.0) / spread).sqrt();
        Self { mean, slope, error }
    }

    /// Returns whether the growth is more than noise, and more than `most` over the
    /// time.
    pub(super) fn grows_by_more_than(&self, most: f64, seconds: f64) -> bool {
        self.slope > 3.0 * self.error && self.slope * seconds > most
    }
}

#[cfg(test)]
mod tests {
    use super::Trend;

    fn trend(value: impl Fn(f64) -> f64) -> Trend {
        let points: Vec<(f64, f64)> = (0..100).map(f64::from).map(|at| (at, value(at))).collect();
        Trend::of(points.iter().copied())
    }

    #[test]
    fn a_leak_is_told_from_noise() {
        let noise = |at: f64| (at * 7.3).sin() * 10.0;
        assert!(!trend(noise).grows_by_more_than(1.0, 100.0));
        assert!(trend(|at| at + noise(at)).grows_by_more_than(50.0, 100.0));
        assert!(!trend(|at| at + noise(at)).grows_by_more_than(500.0, 100.0));
        assert!(!trend(|at| -at).grows_by_more_than(1.0, 100.0));
        let steady = trend(|at| 3.0 * at + 5.0);
        assert!((steady.slope - 3.0).abs() < 1e-9 && steady.error < 1e-9);
    }
}
