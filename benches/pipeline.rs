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
        let ratio = side_by_side(&Stream::flat());
        println!("\nTwo workers beside each other: {ratio:.2} times the events/s of one.");
    }
}

/// How many times the events of one worker two of them take in the same time,
/// each with lines of its own in memory: nobody has to feed them, so that two
/// processors are enough to see it. The median of pairs.
fn side_by_side(stream: &Stream) -> f64 {
    let time = |workers: usize| {
        let start = Barrier::new(workers);
        let play = || {
            let mut worker = Worker::new(&typical(10));
            worker.play(stream);
            start.wait();
            let began = Instant::now();
            for _ in 0..50 {
                worker.play(stream);
            }
            began.elapsed()
        };
        let slowest = thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(play)).collect();
            let times = threads.into_iter().filter_map(|thread| thread.join().ok());
            times.max()
        });
        slowest.unwrap_or_default().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| 2.0 * time(1) / time(2)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ROUNDS / 2).copied().unwrap_or(f64::NAN)
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
    let mut worker = Worker::new(&typical(10));
    let name = "10 metrics, by way of values";
    rows.push(row(name, stream, move || worker.play_plainly(stream)));
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
