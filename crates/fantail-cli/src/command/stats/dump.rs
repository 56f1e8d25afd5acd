//! `fantail stats dump`: prints the metrics of a stats process.

use std::{borrow::Cow, path::Path};

use clap::Args;
use fantail::{exposition::dump::Column, wire::reader::DumpLine};

use super::client::Client;
use crate::{
    exit::Failure,
    io::output::Output,
    io::table::{TableFormat, write_rows},
};

/// Show all metrics.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Output format: auto is an aligned table on a terminal; elsewhere it is the
    /// format of `doveadm stats dump`.
    #[arg(long, value_enum, default_value = "auto", value_name = "FORM")]
    format: TableFormat,
    /// Columns to print: count sum min max avg median variance stddev, and
    /// percentiles such as %95 or %99.9.
    #[arg(
        long,
        value_name = "COLUMNS",
        default_value = "count sum min max avg median stddev %95"
    )]
    columns: String,
    /// Reset all metrics to zero afterwards.
    #[arg(long)]
    reset: bool,
}

/// A column that the client computes, and the column that it is computed from.
const DEVIATION: &str = "stddev";
const VARIANCE: &str = "variance";

pub(super) fn run(arguments: &Arguments, client: &mut Client) -> Result<(), Failure> {
    let columns = arguments.columns.split([' ', ',']);
    let columns: Vec<&str> = columns.filter(|name| !name.is_empty()).collect();
    let unknown = columns.iter().find(|name| {
        let is_known = !matches!(Column::parse(name.as_bytes()), Column::Unknown(_));
        !is_known
    });
    if let Some(name) = unknown {
        let help = match name.strip_prefix('p') {
            Some(percent) if percent.parse::<f64>().is_ok() => format!("; write %{percent}"),
            _ => String::new(),
        };
        return Err(Failure::new(format!(
            "--columns: there is no column `{name}`{help}"
        )));
    }
    let asked = columns.iter().map(|name| match *name {
        DEVIATION => Cow::Borrowed(VARIANCE.as_bytes()),
        name => Cow::Borrowed(name.as_bytes()),
    });
    let heading = ["metric_name", "field"].iter().chain(&columns);
    let mut rows = vec![heading.map(ToString::to_string).collect()];
    client.dump(asked.collect(), arguments.reset, |line| {
        add_rows(line, &columns, &mut rows);
    })?;
    let standard = Path::new("-");
    let table = write_rows(&rows, arguments.format.resolve(standard));
    Output::open(standard)?.write_whole(&table)
}

fn add_rows(line: DumpLine, columns: &[&str], rows: &mut Vec<Vec<String>>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let metric = text(&line.metric);
    for (field, values) in line.fields {
        let values = columns
            .iter()
            .zip(&values)
            .map(|(column, value)| match *column {
                DEVIATION => deviation(&text(value)),
                _ => text(value),
            });
        let names = [metric.clone(), text(&field)];
        rows.push(names.into_iter().chain(values).collect());
    }
}

fn deviation(variance: &str) -> String {
    let variance = variance.parse::<f64>();
    variance.map_or_else(
        |_| String::new(),
        |variance| format!("{:.2}", variance.sqrt()),
    )
}
