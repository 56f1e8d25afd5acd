//! Colours of parts of the output.

use fantail::config::Style;

/// The escape sequences for true, false, doubtful and irrelevant parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) doubt: &'static str,
    pub(crate) strong: &'static str,
    pub(crate) faint: &'static str,
    pub(crate) reset: &'static str,
}

impl Paint {
    pub(crate) const PLAIN: Self = Self {
        yes: "",
        no: "",
        doubt: "",
        strong: "",
        faint: "",
        reset: "",
    };
    pub(crate) const COLOURED: Self = Self {
        yes: "\x1b[32m",
        no: "\x1b[31m",
        doubt: "\x1b[33m",
        strong: "\x1b[1m",
        faint: "\x1b[2m",
        reset: "\x1b[0m",
    };

    pub(crate) fn new(style: Style) -> Self {
        match style {
            Style::Coloured => Self::COLOURED,
            Style::Plain => Self::PLAIN,
        }
    }
}
