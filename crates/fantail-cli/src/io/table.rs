//! Formats a dump of metrics: as an aligned table, as `doveadm` prints it, as CSV and as
//! JSON.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use clap::ValueEnum;
use fantail::{
    exposition::dump::{self, Column, Line, Names},
    metrics::Snapshot,
};
use serde_json::{Map, Number, Value};

use crate::{exit::say, io::terminal};

/// The format of a table, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// `table` on a terminal, `tsv` elsewhere.
    Auto,
    /// Columns aligned with blanks.
    Table,
    /// Columns separated by TABs, as `doveadm stats dump` prints them.
    Tsv,
    /// Columns separated by commas, quoted according to RFC 4180.
    Csv,
    /// An array of objects.
    Json,
}

impl TableFormat {
    /// Returns the format for this output.
    pub(crate) fn resolve(self, output: &Path) -> Self {
        match self {
            Self::Auto if output == Path::new("-") && io::stdout().is_terminal() => Self::Table,
            Self::Auto => Self::Tsv,
            chosen => chosen,
        }
    }
}

/// Returns the whole table, for this output.
pub(crate) fn write(
    snapshot: &Snapshot,
    columns: &[Column],
    format: TableFormat,
    output: &Path,
) -> Vec<u8> {
    match format {
        TableFormat::Table if output != Path::new("-") => aligned(&cells(snapshot, columns)),
        TableFormat::Auto | TableFormat::Tsv => {
            let mut table = Vec::new();
            dump::write_table(snapshot, columns, &mut table);
            table
        }
        _ => write_rows(&cells(snapshot, columns), format),
    }
}

/// Returns a table of rows. The first row is the heading. The first two columns
/// are names, the others numbers.
pub(crate) fn write_rows(rows: &[Vec<String>], format: TableFormat) -> Vec<u8> {
    match format {
        TableFormat::Auto | TableFormat::Tsv => {
            let lines = rows.iter().map(|row| row.join("\t") + "\n");
            lines.collect::<String>().into_bytes()
        }
        TableFormat::Table => match terminal::output_columns() {
            Some(terminal) => fitted(rows, terminal),
            None => aligned(rows),
        },
        TableFormat::Csv => csv(rows),
        TableFormat::Json => json(rows),
    }
}

/// Returns the heading and the lines. Names are complete, because this table
/// has no counterpart in Dovecot.
fn cells(snapshot: &Snapshot, columns: &[Column]) -> Vec<Vec<String>> {
    let names = columns.iter().map(|column| text(column.name()));
    let heading = ["metric_name", "field"]
        .map(str::to_owned)
        .into_iter()
        .chain(names)
        .collect();
    let lines = dump::lines(snapshot, columns, Names::Full).map(|line| {
        let Line {
            metric,
            field,
            values,
        } = line;
        [text(&metric), text(&field)]
            .into_iter()
            .chain(values)
            .collect()
    });
    std::iter::once(heading).chain(lines).collect()
}

/// The number of blanks between columns.
const GAP: usize = 2;

/// The minimum width of shortened names.
const MIN_NAME: usize = 16;

/// Returns a table like [`aligned`] that fits into a terminal: long names are shortened
/// in the middle, and the last columns are left out if they do not fit, with a note.
fn fitted(rows: &[Vec<String>], terminal: usize) -> Vec<u8> {
    let mut rows = rows.to_vec();
    for column in [0, 1] {
        let excess = widths(&rows).iter().map(|width| width + GAP).sum::<usize>();
        let excess = excess.saturating_sub(terminal + GAP);
        let width = widths(&rows).get(column).copied().unwrap_or_default();
        let longest = width.saturating_sub(excess).max(MIN_NAME);
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
            *cell = shortened(cell, longest);
        }
    }
    let mut used = 0;
    let ends = widths(&rows).into_iter().map(|width| {
        used += width + GAP;
        used - GAP
    });
    // The names and one number are always shown.
    let kept = ends.take_while(|end| *end <= terminal).count().max(3);
    let heading = rows.first().and_then(|row| row.get(kept..));
    if let Some(left_out) = heading.filter(|names| !names.is_empty()) {
        say(format_args!(
            "note: left out, for want of width: {}; --format tsv has all columns",
            left_out.join(", ")
        ));
    }
    rows.iter_mut().for_each(|row| row.truncate(kept));
    aligned(&rows)
}

/// Replaces the middle of a name with `…` if the name is longer than `longest`.
fn shortened(name: &str, longest: usize) -> String {
    let count = name.chars().count();
    if count <= longest {
        return name.to_owned();
    }
    let kept = longest.saturating_sub(1);
    let start = name.chars().take(kept.div_ceil(2));
    let end = name.chars().skip(count - kept / 2);
    start.chain(['…']).chain(end).collect()
}

/// Returns the width of the widest cell of each column.
fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

/// Returns a table with left-aligned names and right-aligned numbers.
fn aligned(rows: &[Vec<String>]) -> Vec<u8> {
    let widths = widths(rows);
    let mut table = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                if column < 2 {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        table.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        table.push('\n');
    }
    table.into_bytes()
}

fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    let mut table = String::new();
    for row in rows {
        table.push_str(&row.iter().map(quoted).collect::<Vec<_>>().join(","));
        table.push('\n');
    }
    table.into_bytes()
}

fn json(rows: &[Vec<String>]) -> Vec<u8> {
    let (heading, rows) = rows.split_first().unwrap_or((const { &Vec::new() }, &[]));
    let objects = rows.iter().map(|row| {
        let cells = heading.iter().zip(row).enumerate();
        let members = cells.map(|(column, (key, cell))| {
            let value = if column < 2 {
                Value::String(cell.clone())
            } else {
                // Sums may exceed the integers that other JSON parsers represent exactly.
                cell.parse::<Number>()
                    .map_or_else(|_| Value::String(cell.clone()), Value::Number)
            };
            (key.clone(), value)
        });
        Value::Object(members.collect::<Map<_, _>>())
    });
    let mut json = format!("{:#}", Value::Array(objects.collect())).into_bytes();
    json.push(b'\n');
    json
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let rows = [["name", "field", "count"], ["a", "duration", "7"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            String::from_utf8_lossy(&aligned(&rows)),
            "name  field     count\na     duration      7\n"
        );
    }

    #[test]
    fn tables_fit_into_the_terminal() {
        let rows = [
            ["metric_name", "field", "count", "sum"],
            ["imap_command_finished_SELECT", "duration", "7", "12345"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let check = |terminal, expected: &str| {
            assert_eq!(String::from_utf8_lossy(&fitted(&rows, terminal)), expected);
        };
        check(
            52,
            "metric_name                   field     count    sum\n\
             imap_command_finished_SELECT  duration      7  12345\n",
        );
        check(
            45,
            "metric_name            field     count    sum\n\
             imap_comma…hed_SELECT  duration      7  12345\n",
        );
        check(
            35,
            "metric_name       field     count\nimap_com…_SELECT  duration      7\n",
        );
        check(
            10,
            "metric_name       field     count\nimap_com…_SELECT  duration      7\n",
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let rows = [["plain", "with,comma", "with\"quote", "with\nline"]
            .map(str::to_owned)
            .to_vec()];
        assert_eq!(
            String::from_utf8_lossy(&csv(&rows)),
            "plain,\"with,comma\",\"with\"\"quote\",\"with\nline\"\n"
        );
    }
}
