//! Dumps: the table of `doveadm stats dump`, and the stats process' answer.
//!
//! A row is a metric or sub-metric with one of its fields; the duration is the
//! first field. The name of a sub-metric is its parent's name, `_` and its
//! label, with blanks replaced by `_`.

mod answer;
mod column;
mod count_rows;
mod names;
mod numbers;
mod table;
mod top;

pub use self::{
    answer::{write_answer, write_answer_to},
    column::{Column, default_columns},
    names::Names,
    table::{DumpRow, Line, lines, rows, write_table, write_table_with},
};
