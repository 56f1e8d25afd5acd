//! Lines in, metrics counted and events exported: what it costs an event, and
//! how that compares with the limit, to find the lines and TABs in the same
//! bytes and do nothing else.
//!
//! No criterion: each figure is the fastest of rounds in which all take turns,
//! so that a machine that is busy now and then does as little harm as can be.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints a table"
)]

use std::{env, hint::black_box, sync::Barrier, thread, time::Instant};

use fantail_benches::pipeline::{
    Stream, Worker, all_match, by_user, exported, plain, split, typical,
};
use fantail_filter::Filter;

/// How often each takes its turn.
const ROUNDS: usize = 15;

/// Something to measure: goes through the stream once.
type Run<'a> = Box<dyn FnMut() + 'a>;

struct Row<'a> {
    name: String,
    events: usize,
    run: Run<'a>,
    best: f64,
}

fn main() {
    let filter = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    for (name, stream) in [("recorded", Stream::recorded()), ("flat", Stream::flat())] {
        let mut rows = common_rows(&stream);
        measure(name, &stream, &mut rows, filter.as_deref());
    }
    let logins = Stream::logins(100_000);
    let mut worker = Worker::new(&by_user());
    let mut rows = vec![
        limit(&logins),
        row("group_by, 100,000 values", &logins, || worker.play(&logins)),
    ];
    measure("logins", &logins, &mut rows, filter.as_deref());
    if filter.is_none_or(|filter| "two workers".contains(filter.as_str())) {
        let [workers, split] = side_by_side(&Stream::flat());
        println!(
            "\nTwo workers beside each other: {workers:.2} times the events/s of one; \
             two threads that find lines and TABs: {split:.2} times the bytes/s of one."
        );
    }
}

/// How many times the events of one worker two of them take in the same time,
/// each with lines of its own in memory: they need no feeding thread, so two
/// processors are enough to measure it. The median of pairs.
fn side_by_side(stream: &Stream) -> [f64; 2] {
    let bytes = stream.bytes();
    let work = || {
        let mut worker = Worker::new(&typical(10));
        move || worker.play(stream)
    };
    let split = || || _ = black_box(split(&bytes));
    let mut ratios: Vec<[f64; 2]> = (0..ROUNDS)
        .map(|_| [two_beside_one(work), two_beside_one(split)])
        .collect();
    [0, 1].map(|at| {
        ratios.sort_by(|one, other| one[at].total_cmp(&other[at]));
        ratios[ROUNDS / 2][at]
    })
}

/// How many times as much two threads do in a second as one.
fn two_beside_one<R: FnMut()>(make: impl Fn() -> R + Sync) -> f64 {
    let speed = |threads: usize| -> f64 {
        let start = Barrier::new(threads);
        let play = || {
            let mut run = make();
            run();
            start.wait();
            let began = Instant::now();
            (0..50).for_each(|_| run());
            1.0 / began.elapsed().as_secs_f64()
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
            let speeds = threads.into_iter().filter_map(|thread| thread.join().ok());
            speeds.sum()
        })
    };
    speed(2) / speed(1)
}

fn row<'a>(name: &str, stream: &Stream, run: impl FnMut() + 'a) -> Row<'a> {
    Row {
        name: name.to_owned(),
        events: stream.events,
        run: Box::new(run),
        best: f64::INFINITY,
    }
}

fn limit(stream: &Stream) -> Row<'static> {
    let bytes = stream.bytes();
    row("lines and TABs (the limit)", stream, move || {
        black_box(split(&bytes));
    })
}

fn common_rows(stream: &Stream) -> Vec<Row<'_>> {
    let mut rows = vec![limit(stream)];
    let mut worker = Worker::new(&by_user());
    rows.push(row("read, nothing done", stream, move || {
        worker.play_nothing(stream);
    }));
    for count in [1, 10, 100, 1_000, 10_000] {
        let mut worker = Worker::new(&typical(count));
        let name = format!("{count} metrics");
        rows.push(row(&name, stream, move || worker.play(stream)));
    }
    let rare = stream.rare_name();
    let all: Filter = "event=*".parse().unwrap_or_else(|_| rare.clone());
    for (name, filter, wants) in [
        ("10 metrics, a tap that 1 % match", rare, true),
        ("10 metrics, a tap that all match, full", all.clone(), false),
        ("10 metrics, a tap that all match", all, true),
    ] {
        let mut worker = Worker::new(&typical(10)).observed(filter, wants);
        rows.push(row(name, stream, move || worker.play(stream)));
    }
    for count in [10, 100] {
        let mut worker = Worker::new(&all_match(count));
        let name = format!("{count} metrics that all match");
        rows.push(row(&name, stream, move || worker.play(stream)));
    }
    for count in [10, 100] {
        let mut worker = Worker::new(&plain(count));
        let name = format!("{count} metrics that all match, durations alone");
        rows.push(row(&name, stream, move || worker.play(stream)));
    }
    for format in ["json", "tab-text"] {
        let mut worker = Worker::new(&exported(format));
        let name = format!("each event as {format}");
        rows.push(row(&name, stream, move || worker.play(stream)));
    }
    rows
}

fn measure(title: &str, stream: &Stream, rows: &mut Vec<Row<'_>>, filter: Option<&str>) {
    if let Some(filter) = filter {
        let is_limit = |row: &Row<'_>| row.name.contains("the limit");
        rows.retain(|row| is_limit(row) || format!("{title}/{}", row.name).contains(filter));
    }
    if rows.len() < 2 {
        return;
    }
    for round in 0..=ROUNDS {
        for row in rows.iter_mut() {
            let start = Instant::now();
            (row.run)();
            // The first round makes classes and series.
            if round > 0 {
                let nanos = start.elapsed().as_nanos() as f64 / row.events as f64;
                row.best = row.best.min(nanos);
            }
        }
    }
    let bytes = stream.bytes().len() as f64 / stream.events as f64;
    println!(
        "\n{title}: {} events, {bytes:.0} bytes each\n",
        stream.events
    );
    println!("| | ns an event | times the limit |\n| --- | ---: | ---: |");
    let limit = rows.first().map_or(f64::NAN, |row| row.best);
    for row in rows.iter() {
        println!(
            "| {} | {:.0} | {:.1} |",
            row.name,
            row.best,
            row.best / limit
        );
    }
}
