//! What a server has counted, and what it must have counted.

use std::{fs, path::Path, process::Command};

use super::block;
use crate::{campaigns::attack::clients::HANDSHAKE, error::Error, measure::compare::feed};

/// The metrics whose counts are compared: no disturbance changes them.
const COMPARED: &[&str] = &["all", "users", "sizes", "sent", "dropped"];

/// The values that add up, so that those of one block say those of many.
const VALUES: &[&str] = &["count", "sum", "min", "max"];

/// A row: metric, field, and the values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    metric: String,
    field: String,
    values: Vec<u64>,
}

impl Row {
    /// Returns a row of a metric that is compared.
    fn new(metric: &str, field: &str, values: &[&str]) -> Result<Option<Self>, Error> {
        let first = metric.split('_').next().unwrap_or_default();
        if !COMPARED.contains(&first) {
            return Ok(None);
        }
        let values: Result<Vec<u64>, _> = values.iter().map(|value| value.parse()).collect();
        Ok(Some(Self {
            metric: metric.to_owned(),
            field: field.to_owned(),
            values: values
                .map_err(|error| Error::caused(format!("no number in a row of {metric}"), error))?,
        }))
    }
}

/// Returns the rows of a `DUMP`, sorted.
pub(super) fn of_server(reader: &Path) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for line in feed::dump(reader, &VALUES.join("\t"))? {
        let mut parts = line.split('\t');
        let metric = parts.next().unwrap_or_default();
        let parts: Vec<&str> = ["duration"].into_iter().chain(parts).collect();
        for parts in parts.chunks(1 + VALUES.len()) {
            if let [field, values @ ..] = parts {
                rows.extend(Row::new(metric, field, values)?);
            }
        }
    }
    rows.sort();
    Ok(rows)
}

/// Returns the rows of as many replays of one block, sorted.
pub(super) fn of_replay(program: &Path, folder: &Path, blocks: u64) -> Result<Vec<Row>, Error> {
    let capture = folder.join("block.tsv");
    let lines = [HANDSHAKE, block::CATEGORIES, block::lines().as_str()].concat();
    let recorded: Vec<String> = lines
        .lines()
        .map(|line| format!("1\t0\t{line}\n"))
        .collect();
    fs::write(&capture, recorded.concat()).map_err(Error::at("write", &capture))?;
    let output = Command::new(program)
        .args([
            "replay",
            "--exports",
            "/dev/null",
            "--dump",
            "-",
            "--dump-format",
            "tsv",
        ])
        .args(["--dump-columns", &VALUES.join(" "), "--config"])
        .arg(folder.join("dovecot.conf"))
        .arg(&capture)
        .output()
        .map_err(Error::at("run", program))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("the replay failed: {said}")));
    }
    let table = String::from_utf8_lossy(&output.stdout);
    let mut rows = Vec::new();
    for line in table.lines().skip(1) {
        let parts: Vec<&str> = line.split('\t').collect();
        if let [metric, field, values @ ..] = parts.as_slice() {
            rows.extend(Row::new(metric, field, values)?);
        }
    }
    for row in &mut rows {
        for value in row.values.iter_mut().take(2) {
            *value = value.saturating_mul(blocks);
        }
    }
    rows.sort();
    Ok(rows)
}
