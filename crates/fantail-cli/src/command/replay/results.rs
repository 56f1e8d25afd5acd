//! The output of metrics in the requested formats.

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

/// The output files of the metrics; `-` is standard output.
#[derive(Debug, Clone, Args)]
pub(crate) struct Results {
    /// Write the metrics as a table of counts, sums and other columns.
    #[arg(long, value_name = "FILE")]
    dump: Option<PathBuf>,
    /// Format of --dump: auto is an aligned table on a terminal; elsewhere it is the
    /// format of `doveadm stats dump`.
    #[arg(
        long,
        visible_alias = "format",
        value_enum,
        default_value = "auto",
        value_name = "FORM"
    )]
    dump_format: TableFormat,
    /// Columns of --dump: count sum min max avg median variance stddev, and
    /// percentiles such as %95 or %99.9.
    #[arg(
        long,
        value_name = "COLUMNS",
        default_value = "count sum min max avg median stddev %95"
    )]
    dump_columns: String,
    /// Write the metrics as OpenMetrics 1.0.
    #[arg(long, value_name = "FILE")]
    openmetrics: Option<PathBuf>,
    /// Write the metrics as Prometheus text 0.0.4.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// Write the metrics in the layout of Dovecot's own HTTP endpoint.
    #[arg(long, value_name = "FILE")]
    compat_metrics: Option<PathBuf>,
}

impl Results {
    /// Returns the same outputs, or a dump on standard output if there are none.
    pub(crate) fn or_dump(&self) -> Self {
        let mut results = self.clone();
        let outputs = [
            &self.dump,
            &self.openmetrics,
            &self.prometheus,
            &self.compat_metrics,
        ];
        if outputs.iter().all(|output| output.is_none()) {
            results.dump = Some(PathBuf::from("-"));
        }
        results
    }

    /// Returns each requested output file with its contents.
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

/// Renders the metrics of a scrape.
pub(crate) fn exposition(snapshot: &Snapshot, format: Format) -> Result<Vec<u8>, Failure> {
    let mut answer = Exposition::new(Vec::new(), ExpositionOptions::new(format));
    let written = answer.snapshot(snapshot);
    let written = written.and_then(|()| answer.limits(snapshot));
    let written = written.and_then(|()| answer.finish());
    // Names such as log/all keep a metric out of Prometheus on purpose, so the
    // metrics that are left out are not reported.
    let (text, _left_out) = written.map_err(|error| Failure::new(error.to_string()))?;
    Ok(text)
}

/// Renders the metrics in Dovecot's layout. The start time is zero and the version is
/// fantail's, because no stats process runs.
pub(crate) fn compatible(snapshot: &Snapshot) -> Result<Vec<u8>, Failure> {
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
