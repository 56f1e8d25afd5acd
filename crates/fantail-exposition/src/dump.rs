//! What `doveadm stats dump` shows, and what it is told by the stats process.
//!
//! A row is a metric or sub-metric and one of its fields (the duration is the
//! first). The name of a sub-metric is its parent's, `_` and its label, in
//! which blanks become `_`.

mod answer;
mod column;
mod count_rows;
mod names;
mod numbers;
mod table;

pub use self::{
    answer::{write_answer, write_answer_to},
    column::{Column, default_columns},
    names::Names,
    table::{DumpRow, Line, lines, rows, write_table, write_table_with},
};
