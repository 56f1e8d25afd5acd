//! The counts of a stats process and the filter that it sends to its clients. The
//! process is fantail or Dovecot's own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use fantail::{
    event::escape::unescape,
    lint::{MetricCount, SocketRole, SocketState},
};

use super::{Gathered, PATIENCE, connect};
use crate::command::stats::client::Client;

/// The maximum length of a filter.
const MAX_FILTER_BYTES: u64 = 16 << 20;

pub(super) fn gather(gathered: &mut Gathered) {
    let served = |role: SocketRole| {
        let mut sockets = gathered.facts.sockets.iter();
        let socket = sockets.find(|one| one.role == role)?;
        let is_served = matches!(socket.state, SocketState::Served { .. });
        is_served.then(|| socket.path.clone())
    };
    let (writer, reader) = (served(SocketRole::Writer), served(SocketRole::Reader));
    if let Some(path) = writer {
        match filter(Path::new(&path)) {
            Ok(filter) => gathered.facts.filter_in_force = Some(filter),
            Err(error) => gathered.unseen("the filter in force", format!("{path}: {error}")),
        }
    }
    if let Some(path) = reader {
        match counts(gathered, Path::new(&path)) {
            Some(counts) => gathered.facts.counts = Some(counts),
            None => gathered.unseen("the counts of metrics", format!("{path} does not answer")),
        }
    }
}

/// Reads the filter that a stats process sends to each client that connects.
fn filter(path: &Path) -> std::io::Result<Vec<u8>> {
    let stream = connect::to(path)?.stream;
    let mut lines = BufReader::new(stream.take(MAX_FILTER_BYTES));
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        if let Some(filter) = line.strip_prefix(b"FILTER\t") {
            return Ok(unescape(filter).into_owned());
        }
        if line == b"FILTER" {
            return Ok(Vec::new());
        }
    }
}

/// Returns the counts of the metrics of the configuration.
fn counts(gathered: &Gathered, path: &Path) -> Option<Vec<MetricCount>> {
    let mut client = Client::connect_within(path, PATIENCE).ok()?;
    let metrics = &gathered.loaded.settings.metrics;
    let mut counts: Vec<MetricCount> = Vec::new();
    let dumped = client.dump(vec![b"count".into()], false, |line| {
        let name = line.metric;
        let is_metric = metrics.iter().any(|metric| metric.settings.name == name);
        // The first line with a name is the metric; a sub-metric may have the same name.
        if is_metric && !counts.iter().any(|one| one.name == name) {
            let duration = line.fields.first();
            let count = duration.and_then(|(_, values)| values.first());
            let count = count.and_then(|text| String::from_utf8_lossy(text).parse().ok());
            counts.extend(count.map(|count| MetricCount { name, count }));
        }
    });
    dumped.ok()?;
    Some(counts)
}
