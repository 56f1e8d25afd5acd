//! The drawings of the book, `docs/images/*.svg`, from lists of boxes and arrows.

mod drawings;

use std::fmt::Write as _;

use self::drawings::DRAWINGS;
use crate::{error::Error, workspace::Workspace};

/// Writes the drawings of the book, `docs/images/*.svg`.
///
/// The pictures of the page and of `fantail stats top` are written by their tests:
/// `UPDATE_EXPECT=1 cargo nextest run pictures_of_the_book`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// A drawing.
#[derive(Debug)]
struct Drawing {
    /// The name of the file.
    name: &'static str,
    /// What it shows, for those who do not see it.
    title: &'static str,
    boxes: &'static [Labelled],
    arrows: &'static [Arrow],
}

/// A box with lines of text.
#[derive(Debug)]
struct Labelled {
    x: u32,
    y: u32,
    width: u32,
    lines: &'static [&'static str],
}

impl Labelled {
    fn height(&self) -> u32 {
        let lines = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        14 + lines * LINE
    }
}

/// An arrow between two boxes, by their numbers.
#[derive(Debug)]
struct Arrow {
    from: usize,
    to: usize,
    label: &'static str,
    /// Whether it leads back, below the boxes.
    is_back: bool,
}

const LINE: u32 = 18;

/// The space around the boxes.
const MARGIN: u32 = 8;

/// Both colour schemes: a browser shows the file as its user wants.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1b1f24}\
.head{font-weight:600}\
.label{font-size:12px;fill:#57606a;text-anchor:middle}\
rect{fill:#f5f7f9;stroke:#858f99}\
path{fill:none;stroke:#0b5cad;stroke-width:1.5}\
.back{stroke-dasharray:4 3}\
#tip path{fill:#0b5cad;stroke:none}\
@media(prefers-color-scheme:dark){\
text{fill:#e6edf3}.label{fill:#a3adb8}rect{fill:#1b2128;stroke:#737d88}\
path{stroke:#79b8ff}#tip path{fill:#79b8ff}}";

pub(crate) fn run(workspace: &Workspace) -> Result<bool, Error> {
    workspace.write_changed(expected())?;
    Ok(true)
}

/// Returns the path and the text of each drawing.
pub(crate) fn expected() -> Vec<(String, String)> {
    let drawings = DRAWINGS.iter();
    let drawings = drawings.map(|it| (format!("docs/images/{}.svg", it.name), draw(it)));
    drawings.collect()
}

fn draw(drawing: &Drawing) -> String {
    let ends = drawing.boxes.iter();
    let width = ends.clone().map(|it| it.x + it.width).max().unwrap_or(0) + 2 * MARGIN;
    let back = if drawing.arrows.iter().any(|it| it.is_back) {
        36
    } else {
        0
    };
    let height = ends.map(|it| it.y + it.height()).max().unwrap_or(0) + 2 * MARGIN + back;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-{MARGIN} -{MARGIN} {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
        escaped(drawing.title),
    );
    for arrow in drawing.arrows {
        draw_arrow(
            &drawing.boxes[arrow.from],
            &drawing.boxes[arrow.to],
            arrow,
            &mut text,
        );
    }
    for labelled in drawing.boxes {
        draw_box(labelled, &mut text);
    }
    text.push_str("</svg>\n");
    text
}

fn draw_box(labelled: &Labelled, text: &mut String) {
    let Labelled { x, y, width, lines } = labelled;
    let height = labelled.height();
    let _ = writeln!(
        text,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
    );
    for (at, line) in (0..).zip(*lines) {
        let class = if at == 0 { " class=\"head\"" } else { "" };
        let (x, y) = (x + 10, y + 20 + at * LINE);
        let line = escaped(line);
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\"{class}>{line}</text>");
    }
}

fn draw_arrow(from: &Labelled, to: &Labelled, arrow: &Arrow, text: &mut String) {
    let middle = |it: &Labelled| it.y + it.height() / 2;
    if arrow.is_back {
        let (x1, x2) = (from.x + from.width / 2, to.x + to.width / 2);
        let (y1, y2) = (from.y + from.height(), to.y + to.height());
        let low = y1.max(y2) + 28;
        let _ = writeln!(
            text,
            "<path class=\"back\" d=\"M{x1} {y1}C{x1} {low} {x2} {low} {x2} {y2}\" \
             marker-end=\"url(#tip)\"/>"
        );
        draw_label(arrow, u32::midpoint(x1, x2), low + 8, text);
        return;
    }
    let (x1, y1, x2, y2) = (from.x + from.width, middle(from), to.x, middle(to));
    let half = u32::midpoint(x1, x2);
    let _ = writeln!(
        text,
        "<path d=\"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}\" marker-end=\"url(#tip)\"/>"
    );
    draw_label(arrow, half, u32::midpoint(y1, y2).saturating_sub(6), text);
}

fn draw_label(arrow: &Arrow, x: u32, y: u32, text: &mut String) {
    if !arrow.label.is_empty() {
        let label = escaped(arrow.label);
        let _ = writeln!(
            text,
            "<text class=\"label\" x=\"{x}\" y=\"{y}\">{label}</text>"
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{DRAWINGS, expected};

    #[test]
    fn no_box_covers_another() {
        for drawing in DRAWINGS {
            for (at, one) in drawing.boxes.iter().enumerate() {
                for other in &drawing.boxes[at + 1..] {
                    let is_beside = one.x + one.width <= other.x
                        || other.x + other.width <= one.x
                        || one.y + one.height() <= other.y
                        || other.y + other.height() <= one.y;
                    assert!(is_beside, "{}: {one:?} {other:?}", drawing.name);
                }
            }
        }
    }

    #[test]
    fn each_drawing_has_a_title() {
        for (path, text) in expected() {
            assert!(
                text.contains("<title>") && text.ends_with("</svg>\n"),
                "{path}"
            );
        }
    }
}
