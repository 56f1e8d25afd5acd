//! `none`: an empty payload, for counting and for HTTP requests whose content does
//! not matter.

use crate::export::FormatRow;

pub(crate) const FORMAT: FormatRow = FormatRow {
    name: "none",
    content_type: "application/octet-stream",
    has_times: false,
    write: |_, _, _| {},
};
