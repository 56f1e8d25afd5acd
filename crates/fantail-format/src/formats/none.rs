//! `none`: an empty payload, for counting and for requests that only ring a
//! bell.

use crate::format::Row;

pub(crate) const FORMAT: Row = Row {
    name: "none",
    content_type: "application/octet-stream",
    has_times: false,
    write: |_, _, _| {},
};
