//! Wraps text to the width of the terminal.

/// The indentation of a text below its name.
const BELOW: usize = 6;

/// The minimum width of a text beside its name.
const MIN_BESIDE: usize = 30;

/// Returns a name and its description, which starts at `column`, or below the name if
/// the terminal is narrow. The result ends with LF.
pub(crate) fn described(name: &str, column: usize, text: &str, width: Option<usize>) -> String {
    let is_narrow = width.is_some_and(|width| width < column + MIN_BESIDE);
    if text.is_empty() || is_narrow {
        let below = " ".repeat(BELOW);
        return match text.is_empty() {
            true => format!("{}\n", name.trim_end()),
            false => format!("{}\n{}", name.trim_end(), wrapped(&below, text, width)),
        };
    }
    // A name that is too long also needs a blank after it.
    let behind = column.saturating_sub(1);
    wrapped(&format!("{name:behind$} "), text, width)
}

/// Wraps a text after `start`; further lines are indented by the width of `start`. The
/// result ends with LF.
pub(crate) fn wrapped(start: &str, text: &str, width: Option<usize>) -> String {
    let indentation = start.chars().count();
    let mut out = start.to_owned();
    let mut at = indentation;
    for word in text.split_inclusive(' ') {
        let shown = word.trim_end().chars().count();
        if at > indentation && width.is_some_and(|width| at + shown > width) {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(indentation));
            at = indentation;
        }
        out.push_str(word);
        at += word.chars().count();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_continued_below_their_start() {
        let text = "a text of some words";
        assert_eq!(wrapped("  ", text, None), "  a text of some words\n");
        assert_eq!(
            wrapped("  ", text, Some(11)),
            "  a text of\n  some\n  words\n"
        );
        // A word that is too long gets its own line.
        assert_eq!(wrapped("", "ab abcdefgh c", Some(4)), "ab\nabcdefgh\nc\n");
        assert_eq!(wrapped("  ", "", Some(4)), "\n");
    }

    #[test]
    fn a_narrow_terminal_has_texts_below_their_names() {
        let text = "a text of some words";
        assert_eq!(
            described("name", 8, text, None),
            "name    a text of some words\n"
        );
        assert_eq!(
            described("name", 8, text, Some(80)),
            "name    a text of some words\n"
        );
        assert_eq!(
            described("name", 8, text, Some(20)),
            "name\n      a text of some\n      words\n"
        );
        assert_eq!(described("name  ", 8, "", Some(20)), "name\n");
    }
}
