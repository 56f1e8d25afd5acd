//! Tests of the screen, its keys, and its layout at several widths.

use std::time::{Duration, Instant};

use clap::Parser;
use fantail::config::Style as Colours;
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};

use super::super::{Arguments, peer::Peer, rates::Counts, view::View};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

pub(super) fn view(started: Option<Instant>) -> View {
    let command = Command::parse_from(["top"]);
    let peer = Peer {
        host: "mail.example.net".to_owned(),
        started,
    };
    View::new(&command.arguments, peer)
}

pub(super) fn counts(all: &[(&str, u64, u64)]) -> Counts {
    let all = all.iter();
    all.map(|(name, count, sum)| (name.as_bytes().to_vec(), (*count, *sum)))
        .collect()
}

/// Returns the lines of a drawn screen.
fn shown(view: &mut View, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| super::draw_in(view, frame, Colours::Plain))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let cells: Vec<&str> = buffer
        .content()
        .iter()
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    let lines = cells.chunks(usize::from(width));
    lines
        .map(|line| line.concat().trim_end().to_owned())
        .collect()
}

fn press(view: &mut View, key: KeyCode) -> bool {
    view.press(KeyEvent::new(key, KeyModifiers::NONE))
}

#[test]
fn the_first_interval_has_no_rates() {
    let mut view = view(Instant::now().checked_sub(Duration::from_secs(5)));
    let start = Instant::now();
    view.look(counts(&[("commands", 7, 0)]), start);
    let lines = shown(&mut view, 120, 6);
    assert!(
        lines[0].starts_with("fantail  mail.example.net  up "),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with("  every 2 s  1 series"), "{}", lines[0]);
    assert_eq!(lines[1], "counting; the first rates come after 2 s");
    view.look(
        counts(&[("commands", 7, 0)]),
        start + Duration::from_secs(2),
    );
    let lines = shown(&mut view, 120, 6);
    assert_eq!(lines[1], "no metric has counted an event within 2 s");
}

/// Columns are aligned, and long names keep their ends.
#[test]
fn a_screen_of_60_and_of_120_columns() {
    let mut view = view(None);
    let start = Instant::now();
    view.look(Counts::new(), start);
    let long = "imap_commands_by_user_anna.of.a.long.name@example.net";
    let now = counts(&[("commands", 1234, 2_468_000), (long, 20, 1_000)]);
    view.look(now, start + Duration::from_secs(2));
    assert_eq!(
        &shown(&mut view, 60, 6)[1..],
        [
            "metric                      events/s       events     avg ms",
            "commands                       617.0         1234      2.000",
            "imap_command…@example.net       10.0           20      0.050",
            "",
            "by events/s   h help  q end",
        ]
    );
    let lines = shown(&mut view, 120, 6);
    assert_eq!(lines[3].split_whitespace().next(), Some(long));
    assert!(lines.iter().all(|line| line.chars().count() <= 120));
}

#[test]
fn keys_sort_filter_pause_and_end() {
    let mut view = view(None);
    let start = Instant::now();
    view.look(counts(&[("total", 100, 0)]), start);
    let now = counts(&[("total", 101, 0), ("busy", 9, 0)]);
    view.look(now, start + Duration::from_secs(1));
    let first = |view: &mut View| shown(view, 80, 6)[2].split(' ').next().unwrap().to_owned();
    assert_eq!(first(&mut view), "busy");
    press(&mut view, KeyCode::Char('s'));
    assert_eq!(first(&mut view), "total");
    for key in ['/', 'u', 's', 'q'] {
        assert!(!press(&mut view, KeyCode::Char(key)));
    }
    assert_eq!(shown(&mut view, 80, 6)[5], "filter: usq_");
    press(&mut view, KeyCode::Backspace);
    press(&mut view, KeyCode::Enter);
    assert_eq!(first(&mut view), "busy");
    press(&mut view, KeyCode::Esc);
    assert_eq!(first(&mut view), "total");
    press(&mut view, KeyCode::Char(' '));
    assert!(view.is_paused() && shown(&mut view, 80, 6)[5].starts_with("PAUSED"));
    press(&mut view, KeyCode::Char('h'));
    assert!(shown(&mut view, 80, 12)[1].contains("sort by the next column"));
    assert!(press(&mut view, KeyCode::Char('q')));
    assert!(view.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
}

/// Scrolling stays within the rows.
#[test]
fn a_screen_scrolls() {
    let mut view = view(None);
    let start = Instant::now();
    view.look(Counts::new(), start);
    let names: Vec<String> = (0..30).map(|number| format!("m{number:02}")).collect();
    let all: Vec<_> = (0..)
        .zip(&names)
        .map(|(at, name)| (name.as_str(), 100 - at, 0))
        .collect();
    view.look(counts(&all), start + Duration::from_secs(1));
    press(&mut view, KeyCode::PageDown);
    assert!(shown(&mut view, 60, 8)[2].starts_with("m10 "));
    for _ in 0..10 {
        press(&mut view, KeyCode::PageDown);
    }
    assert!(shown(&mut view, 60, 8)[6].starts_with("m29 "));
    press(&mut view, KeyCode::Home);
    assert!(shown(&mut view, 60, 8)[2].starts_with("m00 "));
}

#[test]
fn colours_are_a_matter_of_the_style() {
    for (colours, expected) in [(Colours::Plain, false), (Colours::Coloured, true)] {
        let mut view = view(None);
        let mut terminal = Terminal::new(TestBackend::new(60, 6)).unwrap();
        terminal
            .draw(|frame| super::draw_in(&mut view, frame, colours))
            .unwrap();
        let mut cells = terminal.backend().buffer().content().iter();
        let is_coloured = cells.any(|cell| cell.fg != ratatui::style::Color::Reset);
        assert_eq!(is_coloured, expected);
    }
}
