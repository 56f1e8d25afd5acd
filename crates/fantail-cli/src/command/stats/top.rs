//! `fantail stats top`: what counts most, again and again.

use std::{
    collections::HashMap,
    io::{IsTerminal as _, stdout},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use super::client::Client;
use crate::{
    exit::Failure,
    io::output::Output,
    io::table::{TableFormat, write_rows},
};

/// Show which metrics count most at the moment, the busiest first.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = clap::value_parser!(u32).range(1..))]
    interval: u32,
    /// How often to look; without it, until it is interrupted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    looks: Option<u32>,
    /// Lines to show.
    #[arg(long, value_name = "N", default_value = "20")]
    lines: usize,
}

/// Moves a terminal's cursor home and clears the screen.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Events of each metric and sub-metric, and the sum of their durations.
type Counts = HashMap<Vec<u8>, (u64, u64)>;

pub(super) fn run(arguments: &Arguments, client: &mut Client) -> Result<(), Failure> {
    let mut before = look(client)?;
    let mut since = Instant::now();
    let mut left = arguments.looks;
    while left != Some(0) {
        thread::sleep(Duration::from_secs(arguments.interval.into()));
        let now = look(client)?;
        let table = table(
            &before,
            &now,
            since.elapsed().as_secs_f64(),
            arguments.lines,
        );
        let mut shown = Vec::new();
        if stdout().is_terminal() {
            shown.extend_from_slice(CLEAR);
        }
        let interval = arguments.interval;
        let title = match table.len() {
            1 => format!(
                "no metric of {} counted an event within {interval} s\n",
                now.len()
            ),
            _ => format!("what counted most within {interval} s; Ctrl-C ends\n\n"),
        };
        shown.extend_from_slice(title.as_bytes());
        if table.len() > 1 {
            shown.extend_from_slice(&write_rows(&table, TableFormat::Table));
        }
        Output::open(Path::new("-"))?.write_whole(&shown)?;
        (before, since) = (now, Instant::now());
        left = left.map(|left| left - 1);
    }
    Ok(())
}

fn look(client: &mut Client) -> Result<Counts, Failure> {
    let mut counts = Counts::new();
    let number = |value: Option<&Vec<u8>>| {
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let columns = ["count", "sum"].map(|name| name.as_bytes().into());
    client.dump(columns.to_vec(), false, |line| {
        if let Some((_, values)) = line.fields.first() {
            counts.insert(line.metric, (number(values.first()), number(values.get(1))));
        }
    })?;
    Ok(counts)
}

/// Returns the rows with the heading, the busiest first.
fn table(before: &Counts, now: &Counts, seconds: f64, lines: usize) -> Vec<Vec<String>> {
    let mut changed: Vec<_> = now
        .iter()
        .map(|(name, (count, sum))| {
            let (old, old_sum) = before.get(name).copied().unwrap_or_default();
            // After a reset, all counts are new.
            let (new, new_sum) = if *count < old {
                (*count, *sum)
            } else {
                (count - old, sum.saturating_sub(old_sum))
            };
            (new, new_sum, *count, name)
        })
        .collect();
    // Zeros carry no information.
    changed.retain(|(new, ..)| *new > 0);
    changed.sort_unstable_by(|a, b| (b.0, b.2).cmp(&(a.0, a.2)).then_with(|| a.3.cmp(b.3)));
    let heading = ["metric", "events", "events/s", "avg duration ms"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    #[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
    rows.extend(
        changed
            .into_iter()
            .take(lines)
            .map(|(new, sum, count, name)| {
                vec![
                    String::from_utf8_lossy(name).into_owned(),
                    count.to_string(),
                    format!("{:.1}", new as f64 / seconds),
                    format!("{:.3}", sum as f64 / new.max(1) as f64 / 1000.0),
                ]
            }),
    );
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_first_and_a_reset_begins_anew() {
        let counts = |all: &[(&str, u64, u64)]| {
            let all = all.iter();
            all.map(|(name, count, sum)| (name.as_bytes().to_vec(), (*count, *sum)))
                .collect::<Counts>()
        };
        let before = counts(&[("a", 10, 1_000), ("b", 100, 0)]);
        let now = counts(&[("a", 14, 9_000), ("b", 7, 7_000), ("c", 1, 0)]);
        let rows = table(&before, &now, 2.0, 2);
        assert_eq!(rows[1], ["b", "7", "3.5", "1.000"]);
        assert_eq!(rows[2], ["a", "14", "2.0", "2.000"]);
        assert_eq!(rows.len(), 3);
    }
}
