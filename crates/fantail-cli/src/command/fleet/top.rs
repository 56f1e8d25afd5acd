//! `fantail fleet top`: the values with the largest numbers on all hosts.

use std::path::Path;

use clap::Args;
use fantail::fleet::{GroupLevel, Rank, TopQuery, TopQuestion, TopValues};
use serde_json::{Value, json};

use super::{
    ask,
    hosts::Fleet,
    notes::{Kind, Notes},
};
use crate::{
    exit::{Failure, Findings, say},
    flag::Form,
    io::{
        output::Output,
        table::{TableFormat, write_rows},
    },
};

/// Show the values, such as users, with the largest numbers on all hosts.
///
/// Hosts are asked twice: first for their own largest values, then for those values that
/// other hosts sent and that may be among the largest of all. The last line says whether
/// the answer is exact, or by how much it may be wrong.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The metric.
    #[arg(value_name = "METRIC")]
    metric: String,
    /// The field of `group_by`; default: the last.
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Rank by the sum of this field; default: by the number of events.
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// Number of values.
    #[arg(long, short = 'k', value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Number of values that each host sends at first; more make the answer more exact.
    /// Default: ten times the wanted number, and at least 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    candidates: Option<u32>,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    #[command(flatten)]
    fleet: Fleet,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let bytes = |text: &String| text.as_bytes().to_vec();
    let level = arguments.field.as_ref().map(bytes);
    let question = TopQuestion {
        metric: bytes(&arguments.metric),
        level: level.map_or(GroupLevel::Last, GroupLevel::Field),
        rank: arguments
            .by
            .as_ref()
            .map(bytes)
            .map_or(Rank::Events, Rank::Sum),
        count: arguments.count as usize,
    };
    let candidates = arguments.candidates;
    let candidates = candidates.unwrap_or_else(|| (10 * arguments.count).max(100));
    let mut query = TopQuery::new(question, candidates as usize);
    let fleet = &arguments.fleet;
    let client = fleet.client()?;
    let hosts = fleet.addresses(&client)?;
    let mut notes = Notes::new(&hosts);
    let to = (hosts.as_slice(), &mut notes);
    let first = query.first();
    let mut without = Vec::new();
    ask::all(&client, to, &first, fleet.concurrency, |host, answer, _| {
        let has_parts = answer.head.share.is_some() && answer.metrics.is_empty();
        if !query.add_first(host, answer) {
            without.push((host, has_parts));
        }
    });
    for (host, has_parts) in without {
        // An aggregate with parts has a metric only if it has values of it.
        if !has_parts || query.is_empty() {
            notes.add(host, Kind::Missing, "no such metric, level or field");
        }
    }
    let second = query.second();
    ask::each(
        &client,
        &hosts,
        &second,
        fleet.concurrency,
        |host, question, answer| match answer {
            Ok(answer) if query.add_second(host, question, &answer) => {}
            Ok(_) => notes.add(host, Kind::Partly, "the metric has changed in between"),
            Err(why) => notes.add(host, Kind::Partly, why),
        },
    );
    let top = query.finish();
    for (host, filter) in &top.others {
        notes.other_schema(*host, arguments.metric.as_bytes(), filter, None);
    }
    let findings = notes.say();
    let text = match arguments.format {
        Form::Text => table(&top, arguments.by.as_deref()),
        Form::Json => json_of(&top, &notes),
    };
    Output::open(Path::new("-"))?.write_whole(&text)?;
    if arguments.format == Form::Text {
        say(format_args!("{}", verdict(&top)));
    }
    Ok(findings)
}

fn table(top: &TopValues, by: Option<&str>) -> Vec<u8> {
    let field = String::from_utf8_lossy(&top.field).into_owned();
    let number = by.unwrap_or("events").to_owned();
    let mut rows = vec![vec![field, number, "at_most".to_owned()]];
    for row in &top.rows {
        let most = row.at_most.map(|most| most.to_string());
        rows.push(vec![
            row.value.clone(),
            row.at_least.to_string(),
            most.unwrap_or_else(|| "unknown".to_owned()),
        ]);
    }
    write_rows(&rows, TableFormat::Auto.resolve(Path::new("-")))
}

/// Says how exact the answer is.
fn verdict(top: &TopValues) -> String {
    match (top.error(), top.unlisted) {
        (Some(0), _) => "exact".to_owned(),
        (Some(error), Some(unlisted)) => format!(
            "± {error}: a value that is not listed has at most {unlisted}; more --candidates may \
             make this exact"
        ),
        _ => "not bounded: hosts have dropped idle series".to_owned(),
    }
}

fn json_of(top: &TopValues, notes: &Notes<'_>) -> Vec<u8> {
    // JSON readers take no more than 64 bits.
    let number = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    let rows = top.rows.iter().map(|row| {
        json!({
            "value": row.value,
            "at_least": number(row.at_least),
            "at_most": row.at_most.map(number),
        })
    });
    let answer: Value = json!({
        "field": String::from_utf8_lossy(&top.field),
        "rows": rows.collect::<Vec<_>>(),
        "exact": top.is_exact(),
        "error": top.error().map(number),
        "unlisted_at_most": top.unlisted.map(number),
        "hosts": notes.to_json(),
    });
    format!("{answer}\n").into_bytes()
}
