//! What the metrics counted, in the forms that were asked for.

use std::path::{Path, PathBuf};

use clap::Args;
use fantail::{
    event::Timestamp,
    exposition::{Exposition, ExpositionOptions, Format, dovecot, dump::Column},
    metrics::Snapshot,
};

use crate::{
    exit::Failure,
    io::table::{self, TableFormat},
};

/// What to write of the metrics, and where (- is standard output).
#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The metrics as a table of counts, sums and so on.
    #[arg(long, value_name = "FILE")]
    dump: Option<PathBuf>,
    /// The form of --dump: auto is a table aligned for people on a terminal,
    /// and elsewhere what `doveadm stats dump` prints.
    #[arg(
        long,
        visible_alias = "format",
        value_enum,
        default_value = "auto",
        value_name = "FORM"
    )]
    dump_format: TableFormat,
    /// The columns of --dump: count sum min max avg median variance stddev,
    /// and percentiles such as %95 or %99.9.
    #[arg(
        long,
        value_name = "COLUMNS",
        default_value = "count sum min max avg median stddev %95"
    )]
    dump_columns: String,
    /// The metrics as OpenMetrics 1.0.
    #[arg(long, value_name = "FILE")]
    openmetrics: Option<PathBuf>,
    /// The metrics as Prometheus text 0.0.4.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// The metrics as Dovecot's own endpoint lays them out.
    #[arg(long, value_name = "FILE")]
    compat_metrics: Option<PathBuf>,
}

impl Results {
    /// Each output that was asked for with what belongs there.
    pub(crate) fn render(&self, snapshot: &Snapshot) -> Result<Vec<(&Path, Vec<u8>)>, Failure> {
        let mut outputs = Vec::new();
        if let Some(path) = &self.dump {
            let columns = self
                .dump_columns
                .split([' ', ','])
                .filter(|name| !name.is_empty());
            let columns: Vec<Column> = columns.map(|name| Column::parse(name.as_bytes())).collect();
            if let Some(Column::Unknown(name)) = columns
                .iter()
                .find(|column| matches!(column, Column::Unknown(_)))
            {
                let name = name.escape_ascii();
                return Err(Failure::new(format!(
                    "--dump-columns: there is no column `{name}`"
                )));
            }
            let format = self.dump_format.resolve(path);
            outputs.push((
                path.as_path(),
                table::write(snapshot, &columns, format, path),
            ));
        }
        let valid = [
            (&self.openmetrics, Format::OpenMetrics),
            (&self.prometheus, Format::Prometheus),
        ];
        for (path, format) in valid {
            if let Some(path) = path {
                outputs.push((path.as_path(), exposition(snapshot, format)?));
            }
        }
        if let Some(path) = &self.compat_metrics {
            outputs.push((path.as_path(), compatible(snapshot)?));
        }
        Ok(outputs)
    }
}

fn exposition(snapshot: &Snapshot, format: Format) -> Result<Vec<u8>, Failure> {
    let mut answer = Exposition::new(Vec::new(), ExpositionOptions::new(format));
    let written = answer.snapshot(snapshot);
    let written = written.and_then(|()| answer.limits(snapshot));
    let written = written.and_then(|()| answer.finish());
    // Metrics with names like log/all are left out on purpose, in silence.
    let (text, _left_out) = written.map_err(|error| Failure::new(error.to_string()))?;
    Ok(text)
}

/// No process started and no Dovecot runs here: both lines say so.
fn compatible(snapshot: &Snapshot) -> Result<Vec<u8>, Failure> {
    let process = dovecot::Process {
        started: Timestamp::default(),
        version: concat!("fantail ", env!("CARGO_PKG_VERSION")),
        revision: None,
    };
    let mut text = Vec::new();
    let written = dovecot::write(snapshot, &process, &mut text);
    written.map_err(|error| Failure::new(error.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use fantail::exposition::dump;

    use super::*;

    #[test]
    fn the_default_columns_are_those_of_doveadm() {
        let default = "count sum min max avg median stddev %95";
        let columns: Vec<Column> = default
            .split(' ')
            .map(|name| Column::parse(name.as_bytes()))
            .collect();
        assert_eq!(columns, dump::default_columns());
    }
}
