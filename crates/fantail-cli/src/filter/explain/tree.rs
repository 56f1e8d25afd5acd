//! An explanation as an indented tree, with colours on terminals.

use std::io::{self, Write};

use fantail::{
    event::SentEvent,
    filter::{Explanation, Term},
    syntax::Shown,
};

use crate::configuration;

/// The escape sequences for what is true, false, and of no consequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    yes: &'static str,
    no: &'static str,
    strong: &'static str,
    faint: &'static str,
    reset: &'static str,
}

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` forbids them.
    pub(super) fn new(is_terminal: bool) -> Self {
        if is_terminal && configuration::colours_allowed() {
            Self {
                yes: "\x1b[32m",
                no: "\x1b[31m",
                strong: "\x1b[1m",
                faint: "\x1b[2m",
                reset: "\x1b[0m",
            }
        } else {
            Self {
                yes: "",
                no: "",
                strong: "",
                faint: "",
                reset: "",
            }
        }
    }
}

/// Longer names are cut.
const SHOWN_BYTES: usize = 80;

/// Writes one explanation and an empty line.
///
/// In colour, parts that do not matter for the answer are faint.
pub(super) fn write(
    out: &mut impl Write,
    number: u64,
    sent: &SentEvent<'_>,
    explanation: &Explanation,
    paint: Paint,
) -> io::Result<()> {
    let Paint {
        yes,
        no,
        strong,
        faint,
        reset,
    } = paint;
    let name = sent.event.name.as_deref();
    let name = name.map(|name| Shown::up_to(name, SHOWN_BYTES).to_string());
    let name = name.as_deref().unwrap_or("unnamed");
    let verdict = explanation.verdict();
    writeln!(out, "{strong}event {number}, {name}: {verdict}{reset}")?;
    for row in explanation.rows() {
        let (colour, mark) = match row.outcome.holds {
            true => (yes, "yes"),
            false => (no, "no "),
        };
        let weight = if row.outcome.is_decisive { "" } else { faint };
        let indentation = row.indentation();
        writeln!(
            out,
            "{weight}{colour}{mark}{reset} {indentation}{weight}{}{reset}",
            row.term
        )?;
        if let Term::Comparison(_, finding) = row.term {
            writeln!(out, "    {indentation}  {faint}{finding}{reset}")?;
        }
    }
    writeln!(out)
}
