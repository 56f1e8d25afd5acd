//! Colours in the output.

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use clap::ValueEnum;
use fantail::config::Style;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The value of `--color`, which `main` sets once before a command runs.
static COLOR: OnceLock<Color> = OnceLock::new();

/// Sets the value of `--color`.
pub(crate) fn set_color(color: Color) {
    let _ = COLOR.set(color);
}

/// Returns the style for standard error.
pub(crate) fn style() -> Style {
    styled(io::stderr().is_terminal())
}

/// Returns the style for standard output.
pub(crate) fn output_style() -> Style {
    styled(io::stdout().is_terminal())
}

/// Returns the width of standard output in columns, if it is a terminal.
pub(crate) fn output_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

fn styled(is_terminal: bool) -> Style {
    let forbidden = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let coloured = match COLOR.get().copied().unwrap_or_default() {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !forbidden(),
    };
    if coloured {
        Style::Coloured
    } else {
        Style::Plain
    }
}
