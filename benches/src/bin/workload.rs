//! Runs one fixed workload a number of times: `workload <name> <times>`.
//!
//! For valgrind, which can count the instructions of `Worker::play` alone.

#![allow(clippy::print_stdout, reason = "a program")]

use std::{env, hint::black_box, process::ExitCode};

use fantail_benches::pipeline::{
    Stream, Worker, all_match, by_user, by_user_and_command, exported, plain, split, typical,
    with_fields,
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    let Some((times, events)) = times.and_then(|times| Some((times, run(&name, times)?))) else {
        println!("usage: workload NAME TIMES");
        return ExitCode::from(2);
    };
    println!("{events} events, {times} times");
    ExitCode::SUCCESS
}

/// Runs a workload; how many events it has, if there is one of this name.
fn run(name: &str, times: usize) -> Option<usize> {
    let (kind, stream) = name.split_once('/')?;
    let stream = match stream {
        "recorded" => Stream::recorded(),
        "flat" => Stream::flat(),
        "logins" => Stream::logins(20_000),
        "commands" => Stream::commands(60_000),
        _ => return None,
    };
    let settings = match kind {
        "split" => {
            let bytes = stream.bytes();
            for _ in 0..times {
                black_box(split(&bytes));
            }
            return Some(stream.events);
        }
        "json" => exported("json"),
        "tab-text" => exported("tab-text"),
        // Reading alone counts nothing.
        "read" | "by-user" => by_user(),
        "tap" => typical(10),
        kind => match kind.split_once('-') {
            Some(("typical", count)) => typical(count.parse().ok()?),
            Some(("all", count)) => all_match(count.parse().ok()?),
            Some(("plain", count)) => plain(count.parse().ok()?),
            Some(("fields", count)) => with_fields(count.parse().ok()?),
            Some(("grouped", count)) => by_user_and_command(count.parse().ok()?),
            _ => return None,
        },
    };
    let mut worker = Worker::new(&settings);
    if kind == "tap" {
        worker = worker.observed(stream.rare_name(), true);
    }
    for _ in 0..times {
        match kind {
            "read" => worker.play_nothing(&stream),
            _ => worker.play(&stream),
        }
    }
    black_box(worker.exported);
    Some(stream.events)
}
