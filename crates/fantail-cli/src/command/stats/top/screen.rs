//! Draws the view on a terminal.

use fantail::config::Style as Colours;
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::Text,
    widgets::{Cell, Paragraph, Row, Table, Wrap},
};

use super::view::{KEYS, View};
use crate::io::terminal;

/// Draws the whole screen.
pub(super) fn draw(view: &mut View, frame: &mut Frame<'_>) {
    draw_in(view, frame, terminal::output_style());
}

fn draw_in(view: &mut View, frame: &mut Frame<'_>, colours: Colours) {
    let is_coloured = colours == Colours::Coloured;
    let accent = match is_coloured {
        true => Style::new().fg(Color::Cyan),
        false => Style::new(),
    };
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ]);
    let [title, body, footer] = areas.areas(frame.area());
    let bold = accent.add_modifier(Modifier::BOLD);
    frame.render_widget(Paragraph::new(view.title()).style(bold), title);
    frame.render_widget(Paragraph::new(view.footer()).style(accent), footer);
    if view.shows_help() {
        let keys = KEYS.map(|(key, effect)| format!("  {key:<12}{effect}"));
        frame.render_widget(Paragraph::new(keys.join("\n")), body);
    } else if let Some(message) = view.message() {
        let message = Paragraph::new(message).wrap(Wrap { trim: true });
        frame.render_widget(message, body);
    } else {
        draw_table(view, frame, body, bold);
    }
}

fn draw_table(view: &mut View, frame: &mut Frame<'_>, area: Rect, heading: Style) {
    let lines = usize::from(area.height).saturating_sub(1);
    let cells = view.cells(lines);
    let name_width = usize::from(area.width).saturating_sub(NUMBERS_WIDTH);
    let row = |[name, numbers @ ..]: [String; 4]| {
        let name = Cell::new(cut(&name, name_width));
        let numbers =
            numbers.map(|number| Cell::new(Text::from(number).alignment(Alignment::Right)));
        Row::new(std::iter::once(name).chain(numbers))
    };
    let mut rows = cells.into_iter().map(row);
    let head = rows.next().unwrap_or_default().style(heading);
    let widths = [
        Constraint::Min(1),
        Constraint::Length(10),
        Constraint::Length(12),
        Constraint::Length(10),
    ];
    frame.render_widget(Table::new(rows, widths).header(head), area);
}

/// The width of the number columns and of the blanks between all columns.
const NUMBERS_WIDTH: usize = 10 + 12 + 10 + 3;

/// Shortens a name in the middle, because similar names often differ at the end.
fn cut(name: &str, width: usize) -> String {
    let letters = name.chars().count();
    if letters <= width || width < 3 {
        return name.to_owned();
    }
    let kept = width - 1;
    let head: String = name.chars().take(kept / 2).collect();
    let tail: String = name.chars().skip(letters - (kept - kept / 2)).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod picture;
#[cfg(test)]
mod tests;
