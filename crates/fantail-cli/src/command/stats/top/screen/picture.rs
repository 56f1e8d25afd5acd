//! `docs/images/stats-top.svg`: a screen as a picture.
//!
//! With `UPDATE_EXPECT=1` the picture is written anew.

use std::{
    env,
    fmt::Write as _,
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use fantail::config::Style as Colours;
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Cell,
    style::{Color, Modifier},
};

use super::tests::{counts, view};
use crate::command::stats::top::rates::Counts;

const COLUMNS: u16 = 72;
const LINES: u16 = 12;

/// The width and the height of a cell.
const CELL: (usize, usize) = (8, 18);

/// Counts of a small site: events, and the sum of their durations.
const COUNTS: [(&str, u64, u64); 8] = [
    ("imap_commands", 1892, 4_730_000),
    ("imap_commands_FETCH", 1204, 3_612_000),
    ("imap_commands_SELECT", 311, 995_200),
    ("imap_commands_IDLE", 377, 122_800),
    ("mail_delivery", 96, 1_344_000),
    ("logins", 154, 1_848_000),
    ("logins_ok", 149, 1_639_000),
    ("logins_failed", 5, 209_000),
];

fn style_of(cell: &Cell) -> &'static str {
    let is_bold = cell.modifier.contains(Modifier::BOLD);
    match (cell.fg == Color::Cyan, is_bold) {
        (true, true) => " class=\"accent bold\"",
        (true, false) => " class=\"accent\"",
        (false, true) => " class=\"bold\"",
        (false, false) => "",
    }
}

/// Draws cells as text; each run of equal style has an element.
fn svg(cells: &[Cell]) -> String {
    let (columns, lines) = (usize::from(COLUMNS), usize::from(LINES));
    let (width, height) = ((columns + 2) * CELL.0, (lines + 1) * CELL.1);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>fantail stats top: metrics with the most events a second</title>\n\
         <style>rect{{fill:#12161b}}text{{font:13px ui-monospace,Menlo,Consolas,\
         &quot;DejaVu Sans Mono&quot;,monospace;fill:#e6edf3;white-space:pre}}\
         .accent{{fill:#56d4dd}}.bold{{font-weight:bold}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n"
    );
    for (line, cells) in cells.chunks(columns).enumerate() {
        for (column, run) in runs(cells) {
            let symbols: String = run.iter().map(Cell::symbol).collect();
            let symbols = symbols.trim_end();
            if symbols.is_empty() {
                continue;
            }
            let (x, y) = ((column + 1) * CELL.0, (line + 1) * CELL.1);
            let length = symbols.chars().count() * CELL.0;
            let _ = writeln!(
                text,
                "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\"{}>{}</text>",
                style_of(&run[0]),
                symbols.replace('&', "&amp;").replace('<', "&lt;"),
            );
        }
    }
    text.push_str("</svg>\n");
    text
}

/// The runs of cells of one style, with their first columns.
fn runs(cells: &[Cell]) -> Vec<(usize, &[Cell])> {
    let chunks = cells.chunk_by(|one, other| style_of(one) == style_of(other));
    let mut column = 0;
    let runs = chunks.map(|run| {
        let start = column;
        column += run.len();
        (start, run)
    });
    runs.collect()
}

#[test]
fn pictures_of_the_book() {
    let mut view = view(None);
    let start = Instant::now();
    view.look(Counts::new(), start);
    view.look(counts(&COUNTS), start + Duration::from_secs(2));
    let mut terminal = Terminal::new(TestBackend::new(COLUMNS, LINES)).unwrap();
    terminal
        .draw(|frame| super::draw_in(&mut view, frame, Colours::Coloured))
        .unwrap();
    let picture = svg(terminal.backend().buffer().content());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images/stats-top.svg");
    if env::var_os("UPDATE_EXPECT").is_some() {
        let mut file = File::create(path).unwrap();
        file.write_all(picture.as_bytes()).unwrap();
    } else {
        let mut shown = String::new();
        let mut file = File::open(path).unwrap();
        file.read_to_string(&mut shown).unwrap();
        assert_eq!(shown, picture);
    }
}
