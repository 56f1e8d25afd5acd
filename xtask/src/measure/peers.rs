//! `cargo xtask bench peers`: what else could count a mail server's events.
//!
//! Ten counts by groups are made by fantail, by Dovecot, and by programs that
//! read the JSON that Dovecot writes to its log. All get the same events, and
//! each must count what `fantail serve` counts before it is measured.

mod counted;
mod pipeline;
mod processes;
mod table;
mod tools;

use std::path::{Path, PathBuf};

use crate::{
    error::Error,
    measure::compare::{self, feed::Writes, mixed, stream::Stream},
    measure::peers::{pipeline::Pipeline, table::Row},
    workspace::Workspace,
};

/// Events with which the counts are compared before anything is measured.
const CHECKED_EVENTS: u64 = 20_000;

/// Measures other ways to count events beside `fantail serve`.
///
/// Dovecot's own metrics, and its JSON log counted by mtail, rsyslog and
/// syslog-ng. Each makes the same ten counts; one that counts differently is
/// named and not measured. Prints two tables, for events that come several in a
/// write and one by one: processor time an event, of all processes, and ratios.
/// Needs root, and names what is not installed.
///
/// Debian's syslog-ng cannot be installed beside rsyslog: SYSLOG_NG_ROOT is the
/// folder in which its package is unpacked.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Events in the stream.
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// Number of rounds; the table has the medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only compare the counts, and measure nothing.
    #[arg(long)]
    quick: bool,
    /// Measure this build of fantail, not that of the working tree.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// What is measured, and how.
#[derive(Debug, Clone, Copy)]
struct Bench<'a> {
    /// The program of fantail.
    program: &'a Path,
    /// The folder of each run, emptied before it.
    folder: &'a Path,
    /// How the events are sent.
    writes: Writes,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => compare::build(workspace)?,
    };
    let folder = workspace.logs().join("peers");
    let bench = Bench {
        program: &program,
        folder: &folder,
        writes: Writes::Batched,
    };
    let stream = mixed::mixed(workspace.root(), CHECKED_EVENTS)?;
    let (pipelines, all_equal) = check(bench, &stream)?;
    if options.quick {
        return Ok(all_equal);
    }
    let stream = mixed::mixed(workspace.root(), options.events)?;
    for (writes, title) in [
        (Writes::Batched, "Several lines a write:"),
        (Writes::EachLine(1), "One write a line:"),
    ] {
        eprintln!("{title}");
        let bench = Bench { writes, ..bench };
        let rows = bench.measure(&stream, &pipelines, options.rounds)?;
        println!("{title}\n\n{}", table::render(&rows, stream.events));
    }
    Ok(all_equal)
}

/// Returns the pipelines that count as `fantail serve` does, it first, and
/// whether all that are installed do.
fn check(bench: Bench<'_>, stream: &Stream) -> Result<(Vec<Pipeline>, bool), Error> {
    let mut pipelines = Vec::new();
    let mut expected = None;
    let mut all_equal = true;
    for pipeline in pipeline::ALL {
        if let Some(missing) = pipeline.missing() {
            eprintln!("{pipeline}: skipped, {missing} is not installed");
            continue;
        }
        let counted = pipeline.count(bench, stream)?.counted;
        let expected = expected.get_or_insert_with(|| counted.clone());
        if let Some(difference) = counted::difference(expected, &counted) {
            eprintln!("{pipeline}: not measured, it counts wrongly: {difference}");
            all_equal = false;
        } else {
            eprintln!("{pipeline}: the same {} groups", counted.len());
            pipelines.push(pipeline);
        }
    }
    if expected.is_none_or(|counted| counted.is_empty()) {
        return Err(Error::new("fantail counted nothing"));
    }
    Ok((pipelines, all_equal))
}

impl Bench<'_> {
    /// Measures all in turn; each round begins with another one.
    fn measure(
        self,
        stream: &Stream,
        pipelines: &[Pipeline],
        rounds: usize,
    ) -> Result<Vec<Row>, Error> {
        let row = |pipeline: &Pipeline| Row {
            pipeline: *pipeline,
            taken: Vec::new(),
        };
        let mut rows: Vec<Row> = pipelines.iter().map(row).collect();
        let count = rows.len();
        // The first one of the first round is `fantail serve`.
        let mut expected = None;
        for (round, turn) in (0..rounds).flat_map(|round| (0..count).map(move |turn| (round, turn)))
        {
            let row = &mut rows[(round + turn) % count];
            let taken = row.pipeline.count(self, stream)?;
            eprintln!("  {}: {:.3} s", row.pipeline, taken.cpu.as_secs_f64());
            let expected = expected.get_or_insert_with(|| taken.counted.clone());
            if let Some(difference) = counted::difference(expected, &taken.counted) {
                return Err(Error::new(format!(
                    "{} counts wrongly: {difference}",
                    row.pipeline
                )));
            }
            row.taken.push(taken);
        }
        Ok(rows)
    }
}
