//! The state of the view, and the effects of keys.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Arguments,
    peer::{self, Peer},
    rates::{self, Counts, Row, Sort},
};

/// The last two samples, and the settings of the view.
#[derive(Debug)]
pub(super) struct View {
    peer: Peer,
    interval: Duration,
    sort: Sort,
    filter: String,
    is_typing: bool,
    is_paused: bool,
    shows_help: bool,
    /// The index of the first visible row.
    top: usize,
    before: Counts,
    now: Counts,
    at: Option<Instant>,
    /// The seconds between the two samples; `None` before the second one.
    seconds: Option<f64>,
}

/// The keys and their descriptions.
pub(super) const KEYS: [(&str, &str); 7] = [
    ("s", "sort by the next column"),
    ("/", "filter by name; Enter ends it, Esc clears it"),
    ("space", "pause, and go on"),
    ("up, down", "scroll"),
    ("PgUp, PgDn", "scroll by ten"),
    ("h, ?", "show or hide this"),
    ("q, Ctrl-C", "end"),
];

impl View {
    pub(super) fn new(arguments: &Arguments, peer: Peer) -> Self {
        Self {
            peer,
            interval: arguments.interval,
            sort: arguments.sort,
            filter: arguments.filter.clone(),
            is_typing: false,
            is_paused: false,
            shows_help: false,
            top: 0,
            before: Counts::new(),
            now: Counts::new(),
            at: None,
            seconds: None,
        }
    }

    /// Stores the counts of a new sample.
    pub(super) fn look(&mut self, counts: Counts, at: Instant) {
        self.before = std::mem::replace(&mut self.now, counts);
        let before = self.at.replace(at);
        self.seconds = before.map(|before| at.duration_since(before).as_secs_f64());
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    pub(super) fn shows_help(&self) -> bool {
        self.shows_help
    }

    /// Handles a key; returns whether it ends the view.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && key.code == KeyCode::Char('c') {
            return true;
        }
        if self.is_typing {
            self.type_filter(key.code);
            return false;
        }
        match key.code {
            KeyCode::Char('q') => return true,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('h' | '?') => self.shows_help = !self.shows_help,
            KeyCode::Esc => {
                self.filter.clear();
                self.shows_help = false;
            }
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            KeyCode::Down => self.top += 1,
            KeyCode::PageUp => self.top = self.top.saturating_sub(10),
            KeyCode::PageDown => self.top += 10,
            KeyCode::Home => self.top = 0,
            _ => {}
        }
        false
    }

    fn type_filter(&mut self, key: KeyCode) {
        self.top = 0;
        match key {
            KeyCode::Char(letter) => self.filter.push(letter),
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            _ => {}
        }
    }

    /// Returns the title: host, uptime, interval, and number of metrics and sub-metrics.
    pub(super) fn title(&self) -> String {
        let up = self.peer.started.map(|started| {
            let up = peer::show(started.elapsed());
            format!("  up {up}")
        });
        let interval = self.interval.as_secs_f64();
        format!(
            "fantail  {}{}  every {interval} s  {} series",
            self.peer.host,
            up.unwrap_or_default(),
            self.now.len()
        )
    }

    /// Returns the message that replaces the rows, if there are no rows.
    pub(super) fn message(&self) -> Option<String> {
        let Some(seconds) = self.seconds else {
            let interval = self.interval.as_secs_f64();
            return Some(format!("counting; the first rates come after {interval} s"));
        };
        self.rows(seconds).is_empty().then(|| {
            let within = if self.filter.is_empty() {
                String::new()
            } else {
                format!(" with `{}` in its name", self.filter)
            };
            format!("no metric{within} has counted an event within {seconds:.0} s")
        })
    }

    fn rows(&self, seconds: f64) -> Vec<Row> {
        let rates = rates::rates(&self.before, &self.now, seconds, &self.filter);
        rates::rows(rates, self.sort)
    }

    /// Returns the heading and at most `lines` rows.
    pub(super) fn cells(&mut self, lines: usize) -> Vec<[String; 4]> {
        let rows = self
            .seconds
            .map_or_else(Vec::new, |seconds| self.rows(seconds));
        self.top = self.top.min(rows.len().saturating_sub(lines));
        let heading = ["metric", "events/s", "events", "avg ms"].map(str::to_owned);
        let cells = |row: &Row| match row {
            Row::Metric(rate) => [
                rate.name.clone(),
                format!("{:.1}", rate.per_second),
                rate.total.to_string(),
                format!("{:.3}", rate.average_ms),
            ],
            Row::Alike(more) => [
                format!("({more} more alike)"),
                String::new(),
                String::new(),
                String::new(),
            ],
        };
        let shown = rows.iter().skip(self.top).take(lines);
        std::iter::once(heading).chain(shown.map(cells)).collect()
    }

    /// Returns the bottom line.
    pub(super) fn footer(&self) -> String {
        if self.is_typing {
            return format!("filter: {}_", self.filter);
        }
        let paused = if self.is_paused { "PAUSED  " } else { "" };
        let filter = match self.filter.is_empty() {
            true => String::new(),
            false => format!("  filter: {}", self.filter),
        };
        let sort = self.sort.name();
        format!("{paused}by {sort}{filter}   h help  q end")
    }
}
