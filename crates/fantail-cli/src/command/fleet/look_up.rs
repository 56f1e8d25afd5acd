//! `fantail fleet look-up`: the events of one value on all hosts.

use std::path::Path;

use clap::Args;
use fantail::fleet::{
    GroupLevel, LookUp, LookUpQuestion, Question, Sum, SumLimits, Wanted, look_up,
};
use serde_json::json;

use super::{
    ask,
    dump::note_others,
    hosts::Fleet,
    notes::{Kind, Notes},
};
use crate::{
    exit::{Failure, Findings},
    flag::Form,
    io::{
        output::Output,
        table::{TableFormat, write_rows},
    },
};

/// Show the events of a value, such as a user, on all hosts.
///
/// Each host is asked for the series of this value alone, in each metric that groups by
/// the field. A host that has reached its limit of series may have counted some events
/// of the value in its series `other`: then the number has an upper bound, too.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The field of `group_by` and its value.
    #[arg(value_name = "FIELD=VALUE", value_parser = wanted)]
    wanted: (String, String),
    /// Show all values that begin with VALUE, at most 1,000 of each host.
    #[arg(long)]
    prefix: bool,
    /// Only this metric.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    #[command(flatten)]
    fleet: Fleet,
}

fn wanted(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('=').filter(|(field, _)| !field.is_empty());
    let (field, value) = parts.ok_or("expected FIELD=VALUE, such as user=anna")?;
    Ok((field.to_owned(), value.to_owned()))
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let (field, value) = &arguments.wanted;
    let value = value.as_bytes().to_vec();
    let question = LookUpQuestion {
        metric: arguments
            .metric
            .as_ref()
            .map(|name| name.as_bytes().to_vec()),
        level: GroupLevel::Field(field.as_bytes().to_vec()),
        wanted: match arguments.prefix {
            true => Wanted::Prefix(value),
            false => Wanted::Values(vec![value]),
        },
    };
    let fleet = &arguments.fleet;
    let client = fleet.client()?;
    let hosts = fleet.addresses(&client)?;
    let mut notes = Notes::new(&hosts);
    let mut sum = Sum::new(SumLimits {
        series: fleet.max_series,
    });
    let asked = Question::LookUp(question.clone());
    let to = (hosts.as_slice(), &mut notes);
    ask::all(
        &client,
        to,
        &asked,
        fleet.concurrency,
        |host, answer, notes| {
            if answer.is_cut {
                notes.add(host, Kind::Partly, "more values begin with this prefix");
            }
            if let Err(error) = sum.add(host, answer) {
                notes.add(host, Kind::Missing, format!("{error} (--max-series)"));
            }
        },
    );
    let summed = sum.finish();
    note_others(&summed, &mut notes);
    let metrics = summed.snapshot.metrics().iter();
    let found: Vec<_> = metrics
        .filter_map(|metric| {
            let name = String::from_utf8_lossy(&metric.settings().name).into_owned();
            Some((name, look_up(metric, &question)?))
        })
        .collect();
    let findings = notes.say();
    let text = match arguments.format {
        Form::Text => table(&found),
        Form::Json => json_of(&found, &notes),
    };
    Output::open(Path::new("-"))?.write_whole(&text)?;
    Ok(findings)
}

/// Writes a row for each series: the metric, its labels, and the bounds of its events.
fn table(found: &[(String, LookUp)]) -> Vec<u8> {
    let heading = ["metric", "labels", "events", "at_most"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (metric, looked_up) in found {
        for one in &looked_up.found {
            let labels = looked_up.fields.iter().zip(&one.labels);
            let labels =
                labels.map(|(field, label)| format!("{}={label}", String::from_utf8_lossy(field)));
            rows.push(vec![
                metric.clone(),
                labels.collect::<Vec<_>>().join(" "),
                one.at_least.to_string(),
                one.at_most
                    .map_or_else(|| "unknown".to_owned(), |most| most.to_string()),
            ]);
        }
    }
    write_rows(&rows, TableFormat::Auto.resolve(Path::new("-")))
}

fn json_of(found: &[(String, LookUp)], notes: &Notes<'_>) -> Vec<u8> {
    let metrics = found.iter().map(|(metric, looked_up)| {
        let series = looked_up.found.iter().map(|one| {
            let labels = looked_up.fields.iter().zip(&one.labels);
            let labels = labels.map(
                |(field, label)| json!({ "field": String::from_utf8_lossy(field), "value": label }),
            );
            json!({
                "labels": labels.collect::<Vec<_>>(),
                "at_least": one.at_least,
                "at_most": one.at_most,
            })
        });
        json!({
            "metric": metric,
            "other": looked_up.other,
            "series": series.collect::<Vec<_>>(),
        })
    });
    let answer = json!({
        "metrics": metrics.collect::<Vec<_>>(),
        "hosts": notes.to_json(),
    });
    format!("{answer}\n").into_bytes()
}
