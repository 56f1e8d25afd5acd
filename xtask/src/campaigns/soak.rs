//! `cargo xtask soak`: a server at full speed for a long time, with all that
//! administrators and accidents do to it.
//!
//! Clients send the same block of lines over and over. So a replay of one block says
//! what the server must have counted.

mod block;
mod counts;
mod disturb;
mod server;
mod slope;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use self::{
    disturb::Done,
    server::Server,
    slope::{Sample, Trend},
};
use crate::{campaigns::attack::clients::Writer, error::Error, workspace::Workspace};

/// Runs a server at full speed, and fails if it loses anything.
///
/// Clients send events while metrics are added and removed, the configuration is
/// reloaded, scrapes, dumps and taps are taken, and the target of an exporter dies and
/// comes back. Fails if memory or open files grow, or if the counts at the end are not
/// those of a replay.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long clients send.
    #[arg(long, value_name = "N", default_value_t = 60)]
    minutes: u64,
    /// The number of clients.
    #[arg(long, value_name = "N", default_value_t = 4)]
    clients: usize,
    /// The seed of the disturbances.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The program to run; by default a release build.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// The blocks that a client sends before it connects again.
const BLOCKS_OF_A_CLIENT: usize = 50;

/// The part of the time after which memory is measured: before, caches fill.
const WARM_UP: u32 = 4;

/// The interval between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(500);

/// Growth that no leak explains over hours: an allocator's.
const MAX_GROWTH_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// What all threads of a run share.
struct Run {
    stop: AtomicBool,
    /// The blocks that the server has read to their ends.
    blocks: AtomicU64,
}

impl Run {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends the run if a thread failed.
    fn stopping<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
        result
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => workspace.release_build()?,
    };
    let folder = std::env::temp_dir().join(format!("fantail-soak-{}", std::process::id()));
    fs::create_dir_all(folder.join("run")).map_err(Error::at("make", &folder))?;
    let passed = soak(&program, &folder, options);
    let _ = fs::remove_dir_all(&folder);
    passed
}

fn soak(program: &Path, folder: &Path, options: &Options) -> Result<bool, Error> {
    let mut server = Server::start(program, folder)?;
    let open_files = slope::open_files(server.pid());
    let run = Run {
        stop: AtomicBool::new(false),
        blocks: AtomicU64::new(0),
    };
    let time = Duration::from_secs(options.minutes.saturating_mul(60));
    let begun = Instant::now();
    let (pid, sockets) = (server.pid(), server.sockets());
    let (samples, done) = thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients)
            .map(|_| scope.spawn(|| run.stopping(send(&sockets, &run))))
            .collect();
        let disturber = scope.spawn(|| {
            let done = disturb::until_the_end(&sockets, &run, options.seed);
            run.stopping(done)
        });
        let is_on = || server.is_alive() && !run.is_over();
        let samples = slope::sample(pid, time, SAMPLE_INTERVAL, is_on);
        run.stop.store(true, Ordering::Relaxed);
        for client in clients {
            joined(client)??;
        }
        Ok::<_, Error>((samples, joined(disturber)??))
    })?;
    let blocks = run.blocks.load(Ordering::Relaxed);
    report_speed(blocks, begun.elapsed(), &done);
    let mut failures = Vec::new();
    check_trends(&samples, time, &mut failures);
    server.wait_for_open_files(open_files, &mut failures);
    server.check_counts(program, blocks, &mut failures)?;
    server.end(&mut failures);
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    Ok(failures.is_empty())
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> Result<T, Error> {
    thread
        .join()
        .map_err(|_| Error::new("a thread of the soak panicked"))
}

/// Sends blocks until the end.
fn send(sockets: &server::Sockets, run: &Run) -> Result<(), Error> {
    let block = block::lines();
    while !run.is_over() {
        let mut client = Writer::connect(&sockets.writer)?;
        client.send(block::CATEGORIES);
        let mut sent = 0;
        while sent < BLOCKS_OF_A_CLIENT && !run.is_over() {
            if !client.send(&block) {
                return Err(Error::new("the server closed the connection of a client"));
            }
            sent += 1;
        }
        client.finish()?;
        run.blocks.fetch_add(sent as u64, Ordering::Relaxed);
    }
    Ok(())
}

fn report_speed(blocks: u64, time: Duration, done: &Done) {
    let events = blocks * block::EVENTS;
    let seconds = time.as_secs().max(1);
    println!(
        "{events} events in {seconds} s, {} a second\n{done}",
        events / seconds
    );
}

/// Checks that memory and open files do not grow.
fn check_trends(samples: &[Sample], time: Duration, failures: &mut Vec<String>) {
    let warm = time / WARM_UP;
    let late: Vec<&Sample> = samples.iter().filter(|it| it.at >= warm).collect();
    let span = time.saturating_sub(warm).as_secs_f64();
    let memory = Trend::of(
        late.iter()
            .map(|it| (it.at.as_secs_f64(), it.resident_bytes)),
    );
    let files = Trend::of(late.iter().map(|it| (it.at.as_secs_f64(), it.open_files)));
    println!(
        "memory: {:.1} MiB, slope {:+.1} KiB a minute ± {:.1}\nopen files: {:.1}, slope {:+.3} a \
         minute ± {:.3}\n{} samples in the last {span:.0} s",
        memory.mean / 1_048_576.0,
        memory.slope * 60.0 / 1_024.0,
        memory.error * 60.0 / 1_024.0,
        files.mean,
        files.slope * 60.0,
        files.error * 60.0,
        late.len()
    );
    if memory.grows_by_more_than(MAX_GROWTH_BYTES, span) {
        failures.push("memory grows".to_owned());
    }
    if files.grows_by_more_than(1.0, span) {
        failures.push("open files grow".to_owned());
    }
}
