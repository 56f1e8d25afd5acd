//! `fantail stats top`: shows the busiest metrics, updated at an interval.

mod peer;
mod rates;
mod screen;
mod view;

use std::{
    io::{IsTerminal as _, stdin, stdout},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use self::{
    peer::Peer,
    rates::{Counts, Sort},
    view::View,
};
use super::client::Client;
use crate::{
    exit::Failure,
    flag,
    io::output::Output,
    io::table::{TableFormat, write_rows},
};

/// Show the metrics with the most events per second, the busiest first.
///
/// Keys on a terminal: s sorts by the next column, / filters by name, space pauses,
/// h shows all keys, q quits. If the output is not a terminal, the command prints a
/// table after each interval.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Time between two updates.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = flag::interval)]
    interval: Duration,
    /// Number of updates; default: until Ctrl-C.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    looks: Option<u32>,
    /// Maximum number of lines per table if the output is not a terminal.
    #[arg(long, value_name = "N", default_value = "20")]
    lines: usize,
    /// Show only metrics and sub-metrics whose names contain this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Column to sort by.
    #[arg(long, value_enum, default_value = "rate", value_name = "COLUMN")]
    sort: Sort,
}

pub(super) fn run(arguments: &Arguments, client: &mut Client) -> Result<(), Failure> {
    if stdout().is_terminal() && stdin().is_terminal() {
        let mut terminal = ratatui::try_init()
            .map_err(|error| Failure::new(format!("cannot use the terminal: {error}")))?;
        let shown = interact(arguments, client, &mut terminal);
        ratatui::restore();
        return shown;
    }
    print(arguments, client)
}

/// Shows a screen until a key or the number of updates ends it.
fn interact(
    arguments: &Arguments,
    client: &mut Client,
    terminal: &mut ratatui::DefaultTerminal,
) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::new(format!("cannot use the terminal: {error}"));
    let mut view = View::new(arguments, Peer::of(client));
    view.look(look(client)?, Instant::now());
    let mut next = Instant::now() + arguments.interval;
    let mut left = arguments.looks;
    loop {
        terminal
            .draw(|frame| screen::draw(&mut view, frame))
            .map_err(broken)?;
        let wait = next.saturating_duration_since(Instant::now());
        if event::poll(wait).map_err(broken)? {
            if let Event::Key(key) = event::read().map_err(broken)?
                && key.kind == KeyEventKind::Press
                && view.press(key)
            {
                return Ok(());
            }
            continue;
        }
        next = Instant::now() + arguments.interval;
        if view.is_paused() {
            continue;
        }
        view.look(look(client)?, Instant::now());
        left = left.map(|left| left - 1);
        if left == Some(0) {
            return Ok(());
        }
    }
}

/// Prints a table after each interval.
fn print(arguments: &Arguments, client: &mut Client) -> Result<(), Failure> {
    let mut view = View::new(arguments, Peer::of(client));
    view.look(look(client)?, Instant::now());
    let mut left = arguments.looks;
    while left != Some(0) {
        thread::sleep(arguments.interval);
        view.look(look(client)?, Instant::now());
        let mut shown = format!("{}\n", view.title());
        match view.message() {
            Some(message) => shown += &format!("{message}\n"),
            None => {
                let rows = view.cells(arguments.lines);
                let rows: Vec<_> = rows.into_iter().map(Vec::from).collect();
                let table = write_rows(&rows, TableFormat::Table);
                shown += &String::from_utf8_lossy(&table);
            }
        }
        shown.push('\n');
        Output::open(Path::new("-"))?.write_whole(shown.as_bytes())?;
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
