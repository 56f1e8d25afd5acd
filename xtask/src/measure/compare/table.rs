//! The result as a table of Markdown.

use std::{collections::HashMap, fmt::Write as _, fs, path::Path, time::Duration};

use crate::{
    error::Error,
    measure::compare::{Row, Taken, load::Feed, stream::Stream},
};

const START: &str = "<!-- table of `cargo xtask bench compare` -->\n";
const END: &str = "<!-- end of the table -->\n";

/// One row for the terminal.
pub(crate) fn line(row: &Row) -> String {
    format!("  {}", cells(row).join(" | "))
}

/// The whole.
pub(crate) fn render(rows: &[Row], streams: &HashMap<(Feed, u64), Stream>) -> String {
    let mut text = String::from(
        "| load | Dovecot, µs an event | fantail, µs an event | times less CPU (median, range) | \
         aim | Dovecot, memory | fantail, memory | Dovecot, events/s | fantail, events/s |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", cells(row).join(" | "));
    }
    for row in rows.iter().filter(|row| row.series > 10_000) {
        text.push_str(&of_series(row));
    }
    text.push_str(&of_reading(rows));
    text.extend(growth(rows));
    text.extend(start(rows));
    let streams = streams.iter().map(|((feed, _), stream)| {
        format!(
            "\nThe stream of {}: {} events, {} bytes an event with all lines that belong to it.\n",
            match feed {
                Feed::Recorded => "the recording",
                Feed::Mixed => "mixed events",
                Feed::Users(_) => "many users",
                Feed::Counting => "events that match several metrics",
            },
            stream.events,
            stream.bytes.len() as u64 / stream.events.max(1),
        )
    });
    let mut streams: Vec<String> = streams.collect();
    streams.sort_unstable();
    text.extend(streams);
    text
}

fn cells(row: &Row) -> Vec<String> {
    let megabytes = |taken: &[Taken]| {
        let most = taken.iter().map(|taken| taken.memory).max().unwrap_or(0);
        format!("{:.1} MB", most as f64 / 1e6)
    };
    let rate = |taken: &[Taken]| {
        let wall = median(taken.iter().map(|taken| taken.wall));
        format!("{:.0}", row.events as f64 / wall.as_secs_f64())
    };
    let micros = |taken: &[Taken]| {
        let cpu = median(taken.iter().map(|taken| taken.cpu));
        format!("{:.3}", cpu.as_secs_f64() * 1e6 / row.events as f64)
    };
    vec![
        row.load.name.clone(),
        micros(&row.dovecot),
        micros(&row.fantail),
        spread(&row.ratios()),
        row.load
            .target
            .map_or_else(String::new, |target| format!("{target}")),
        megabytes(&row.dovecot),
        megabytes(&row.fantail),
        rate(&row.dovecot),
        rate(&row.fantail),
    ]
}

/// What a start with many metrics takes.
fn start(rows: &[Row]) -> Option<String> {
    let row = rows.iter().find(|row| row.load.name == "10000 metrics")?;
    let start = median(row.fantail.iter().map(|taken| taken.start));
    Some(format!(
        "\nA start with 10,000 metrics takes fantail {} ms of CPU time (aim: 100).\n",
        start.as_millis()
    ))
}

/// What questions about many series take.
fn of_series(row: &Row) -> String {
    let mut text = format!(
        "\nOne dump and one scrape after it, {} series:\n\n\
         | | Dovecot, ns of CPU a series | fantail | times less (median, range) | aim |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
        row.series
    );
    let dump: fn(&Taken) -> Duration = |taken| taken.dump;
    let scrape = |taken: &Taken| taken.scrape;
    for (name, what) in [("dump", dump), ("scrape", scrape)] {
        let a_series =
            |taken: &[Taken]| median(taken.iter().map(what)).as_nanos() / row.series.max(1) as u128;
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | 5 |",
            a_series(&row.dovecot),
            a_series(&row.fantail),
            spread(&row.ratios_of(what)),
        );
    }
    text
}

/// Single writes, beside a reader that throws away what it reads.
fn of_reading(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| !row.bare.is_empty()) {
        if text.is_empty() {
            text.push_str(
                "\nOne write a line, beside a reader that throws away what it reads:\n\n\
                 | load | its CPU time, µs an event | Dovecot, times as much (median, range) | \
                 fantail, times as much | Dovecot, system calls an event | fantail |\n\
                 | --- | ---: | ---: | ---: | ---: | ---: |\n",
            );
        }
        let events = row.events as f64;
        let times = [&row.dovecot, &row.fantail].map(|taken| {
            let pairs = taken.iter().zip(&row.bare);
            let mut times: Vec<f64> = pairs
                .map(|(taken, bare)| taken.cpu.as_secs_f64() / bare.as_secs_f64())
                .collect();
            times.sort_by(f64::total_cmp);
            spread(&times)
        });
        let calls = row.syscalls.map_or([const { String::new() }; 2], |calls| {
            calls.map(|count| format!("{:.3}", count as f64 / events))
        });
        let bare = median(row.bare.iter().copied()).as_secs_f64() * 1e6;
        let _ = writeln!(
            text,
            "| {} | {:.3} | {} | {} |",
            row.load.name,
            bare / events,
            times.join(" | "),
            calls.join(" | "),
        );
    }
    text
}

/// The median of what is ascending, and from where to where it goes.
fn spread(ratios: &[f64]) -> String {
    let at = |at: usize| ratios.get(at).copied().unwrap_or_default();
    format!(
        "{:.1} ({:.1}–{:.1})",
        at(ratios.len() / 2),
        at(0),
        at(ratios.len().saturating_sub(1))
    )
}

/// The growth of our cost with the number of filters, each for another user.
fn growth(rows: &[Row]) -> Option<String> {
    let cost = |name: &str| {
        let row = rows.iter().find(|row| row.load.name == name)?;
        let cpu = median(row.fantail.iter().map(|taken| taken.cpu));
        Some(cpu.as_secs_f64() / row.events as f64)
    };
    let few = cost("10 metrics, a user each")?;
    let many = cost("10000 metrics, a user each")?;
    Some(format!(
        "\nA user each: 10,000 metrics cost fantail {:.2} times what 10 cost it (aim: 1.25 at most).\n",
        many / few
    ))
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Puts the table where `docs/performance.md` has its place.
pub(crate) fn write(root: &Path, table: &str) -> Result<(), Error> {
    let path = root.join("docs/performance.md");
    let text = fs::read_to_string(&path).map_err(Error::at("read", &path))?;
    let parts = text
        .split_once(START)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return Err(Error::new("docs/performance.md has no place for the table"));
    };
    fs::write(&path, format!("{before}{START}{table}{END}{after}"))
        .map_err(Error::at("write", &path))
}
