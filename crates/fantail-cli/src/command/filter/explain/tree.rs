//! An explanation as an indented tree, with colours on terminals.

use std::io::{self, Write};

use fantail::{
    event::SentEvent,
    filter::{Explanation, Term},
    syntax::Shown,
};

use crate::io::paint::Paint;

/// The maximum length of a name; longer ones are cut.
const SHOWN_BYTES: usize = 80;

/// Writes one explanation and an empty line.
///
/// In colour, parts that do not affect the answer are faint.
pub(crate) fn write(
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
        ..
    } = paint;
    let name = sent.event.name();
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

#[cfg(test)]
mod tests {
    use fantail::{
        event::{Event, Timestamp},
        filter::Filter,
    };

    use super::*;

    #[track_caller]
    fn check(paint: Paint, filter: &str, expected: &str) {
        let event = Event::builder(Timestamp::default()).build().unwrap();
        let sent = SentEvent::alone(&event);
        let filter: Filter = filter.parse().unwrap();
        let mut out = Vec::new();
        write(&mut out, 1, &sent, &filter.explain(&sent), paint).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn colours_change_nothing_else() {
        let filter = "category=debug AND a=\"\"";
        check(
            Paint::PLAIN,
            filter,
            "event 1, unnamed: no match\n\
             no  all of\n\
             no    category=debug\n        info: another log level\n\
             yes   a=\"\"\n        the field is missing, which is what \"\" asks for\n\n",
        );
        check(
            Paint::COLOURED,
            filter,
            "\x1b[1mevent 1, unnamed: no match\x1b[0m\n\
             \x1b[31mno \x1b[0m all of\x1b[0m\n\
             \x1b[31mno \x1b[0m   category=debug\x1b[0m\n        \x1b[2minfo: another log level\x1b[0m\n\
             \x1b[2m\x1b[32myes\x1b[0m   \x1b[2ma=\"\"\x1b[0m\n        \
             \x1b[2mthe field is missing, which is what \"\" asks for\x1b[0m\n\n",
        );
    }
}
