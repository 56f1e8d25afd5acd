//! `cargo xtask bench compare --beside PROGRAM`: this build beside another one
//! of fantail, under the loads that are otherwise played to Dovecot.

use std::{fs, path::Path, time::Duration};

use crate::{
    error::Error,
    measure::compare::{Taken, feed::Script, load::Load, one, server, stream::Stream},
};

/// Resampled medians from which the interval is read.
const RESAMPLES: usize = 4_000;

/// Two programs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builds<'a> {
    /// The build of this tree.
    pub(crate) this: &'a Path,
    /// The program to compare with.
    pub(crate) other: &'a Path,
}

impl Builds<'_> {
    /// Plays a load to both in turn, `pairs` times; returns a row of the table.
    pub(crate) fn measure(
        self,
        folder: &Path,
        load: &Load,
        stream: &Stream,
        pairs: usize,
    ) -> Result<String, Error> {
        let mut taken: [Vec<Taken>; 2] = Default::default();
        let script = Script::new(&stream.bytes, load.writes);
        for pair in 0..pairs {
            for turn in 0..2 {
                if folder.exists() {
                    fs::remove_dir_all(folder).map_err(Error::at("empty", folder))?;
                }
                let which = (pair + turn) % 2;
                let program = [self.other, self.this][which];
                let server = server::fantail(program, folder, &load.blocks)?;
                let (figures, _) = one(&server, &script)?;
                taken[which].push(figures);
            }
        }
        let [other, this] = taken;
        let cost = |taken: &[Taken]| {
            let mut cpu: Vec<f64> = taken.iter().map(|it| it.cpu.as_secs_f64()).collect();
            median(&mut cpu) * 1e6 / stream.events as f64
        };
        let ratios = |what: fn(&Taken) -> f64| {
            let pairs = this.iter().zip(&other);
            pairs
                .map(|(this, other)| what(this) / what(other))
                .collect()
        };
        Ok(format!(
            "| {} | {:.3} | {:.3} | {} | {} | {} |\n",
            load.name,
            cost(&other),
            cost(&this),
            spread(ratios(|taken| seconds(taken.cpu))),
            spread(ratios(|taken| taken.memory as f64)),
            spread(ratios(|taken| seconds(taken.start))),
        ))
    }
}

/// What the rows are headed by.
pub(crate) const HEAD: &str = "| load | other build, µs an event | this build | \
     CPU, this / other (median, 95 % interval) | peak memory, this / other | \
     CPU of the start, this / other |\n\
     | --- | ---: | ---: | ---: | ---: | ---: |\n";

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64().max(1e-9)
}

/// The median of paired ratios, with a bootstrapped 95 % interval.
fn spread(mut ratios: Vec<f64>) -> String {
    let mut state = 1_u64;
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut sample: Vec<f64> = (0..ratios.len())
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    ratios[(state >> 33) as usize % ratios.len()]
                })
                .collect();
            median(&mut sample)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let middle = median(&mut ratios);
    let (low, high) = (
        medians[RESAMPLES / 40],
        medians[RESAMPLES - 1 - RESAMPLES / 40],
    );
    format!("{middle:.3} ({low:.3}–{high:.3})")
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.len() % 2, values) {
        (_, []) => f64::NAN,
        (1, values) => values[half],
        (_, values) => f64::midpoint(values[half - 1], values[half]),
    }
}
