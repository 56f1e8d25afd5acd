//! `fantail fleet dump` and `fantail fleet metrics`: the metrics of all hosts, added up.

use std::path::Path;

use clap::{Args, ValueEnum};
use fantail::{
    exposition::Format,
    fleet::{Question, Sum, SumLimits, Summed},
};

use super::{
    ask,
    hosts::Fleet,
    notes::{Kind, Notes},
};
use crate::{
    command::replay::results::{Results, compatible, exposition},
    exit::{Failure, Findings},
    io::output::Output,
};

/// Show the metrics of all hosts, added up.
///
/// The outputs are those of `fantail replay`; without one, the table goes to standard
/// output.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this metric.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    fleet: Fleet,
}

/// Write the metrics of all hosts, added up, as a scrape.
///
/// It has the metrics that a scrape of each host has.
#[derive(Debug, Args)]
pub(super) struct Scrape {
    /// Format of the scrape.
    #[arg(long, value_enum, default_value = "openmetrics", value_name = "FORMAT")]
    format: ScrapeFormat,
    #[command(flatten)]
    fleet: Fleet,
}

/// The formats of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScrapeFormat {
    /// OpenMetrics 1.0.
    Openmetrics,
    /// Prometheus text 0.0.4.
    Prometheus,
    /// The layout of Dovecot's own HTTP endpoint.
    Dovecot,
}

/// Runs `fleet dump`.
pub(super) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let metric = arguments.metric.as_ref();
    let question = Question::Metrics(metric.map(|name| name.as_bytes().to_vec()));
    let (summed, findings) = sum(&arguments.fleet, &question)?;
    let results = arguments.results.or_dump();
    for (path, contents) in results.render(&summed.snapshot)? {
        Output::open(path)?.write_whole(&contents)?;
    }
    Ok(findings)
}

/// Runs `fleet metrics`.
pub(super) fn scrape(arguments: &Scrape) -> Result<Findings, Failure> {
    let (summed, findings) = sum(&arguments.fleet, &Question::Scrape)?;
    let text = match arguments.format {
        ScrapeFormat::Openmetrics => exposition(&summed.snapshot, Format::OpenMetrics)?,
        ScrapeFormat::Prometheus => exposition(&summed.snapshot, Format::Prometheus)?,
        ScrapeFormat::Dovecot => compatible(&summed.snapshot)?,
    };
    Output::open(Path::new("-"))?.write_whole(&text)?;
    Ok(findings)
}

fn sum(fleet: &Fleet, question: &Question) -> Result<(Summed, Findings), Failure> {
    let client = fleet.client()?;
    let hosts = fleet.addresses(&client)?;
    let mut notes = Notes::new(&hosts);
    let mut sum = Sum::new(SumLimits {
        series: fleet.max_series,
    });
    let to = (hosts.as_slice(), &mut notes);
    ask::all(
        &client,
        to,
        question,
        fleet.concurrency,
        |host, answer, notes| {
            if let Err(error) = sum.add(host, answer) {
                notes.add(host, Kind::Missing, format!("{error} (--max-series)"));
            }
        },
    );
    let summed = sum.finish();
    note_others(&summed, &mut notes);
    let findings = notes.say();
    Ok((summed, findings))
}

/// Notes the metrics that have another definition than on most hosts.
pub(super) fn note_others(summed: &Summed, notes: &mut Notes<'_>) {
    for other in &summed.others {
        let dialect = other.dialect;
        let dialect = (dialect != summed.snapshot.dialect()).then_some(dialect);
        for host in &other.hosts {
            notes.other_schema(*host, &other.metric, &other.filter, dialect);
        }
    }
}
