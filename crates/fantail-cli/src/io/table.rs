//! A dump of metrics as a table: for people, for readers of `doveadm`'s output,
//! for spreadsheets and for programs.

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

/// The form of a table, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// `table` on a terminal, `tsv` elsewhere.
    Auto,
    /// Columns aligned with blanks.
    Table,
    /// TABs between, as `doveadm stats dump` prints it.
    Tsv,
    /// Commas between, quoted as RFC 4180 has it.
    Csv,
    /// An array of objects.
    Json,
}

impl TableFormat {
    /// Returns the form for this output.
    pub(crate) fn resolve(self, output: &Path) -> Self {
        match self {
            Self::Auto if output == Path::new("-") && io::stdout().is_terminal() => Self::Table,
            Self::Auto => Self::Tsv,
            chosen => chosen,
        }
    }
}

/// Returns the whole table.
pub(crate) fn write(snapshot: &Snapshot, columns: &[Column], format: TableFormat) -> Vec<u8> {
    match format {
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
        TableFormat::Table => aligned(rows),
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

/// Aligns names to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
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
                // Sums may exceed the exact numbers of other programs.
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
