//! `fantail events`: the catalogue of Dovecot's events.

mod json;

use std::{collections::BTreeSet, fmt::Write, path::Path};

use clap::Args;
use fantail::{
    config::{Release, Target, internal::similar},
    event,
    lint::{Catalogue, CatalogueEvent, Field},
};

use crate::{
    dialect::{Dialect, release, target_of},
    exit::{Failure, Findings},
    flag::Form,
    io::output::Output,
    io::terminal,
    io::width,
};

/// The fields that every event may have.
const EVERY_EVENT: [&str; 2] = ["duration", "reason_code"];

/// The column of an event's description.
const NAMES: usize = 41;

/// The column of a field's description, after its name and type.
const REMARKS: usize = 44;

/// The maximum number of names that are suggested for an unknown one.
const MAX_SUGGESTIONS: usize = 3;

/// Look up the events that Dovecot sends, and their fields.
///
/// Without a pattern, the command lists all events, categories and reason codes.
/// With a pattern, it describes the matching events and their fields.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail events
  fantail events imap_command_finished
  fantail events 'mail_*' --dialect 2.3
  fantail events imap_id_received --dovecot 2.4.1
  fantail events --field mailbox
  fantail events delivery --format json

The list of fields is a lower bound: an event also inherits the fields of its
parents. Events of your own plugins and scripts are not listed.

Exit status: 0 events were found, 1 no event was found, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Event name, a pattern with wildcards (* and ?), or a part of a name.
    pattern: Option<String>,
    /// Show only events and fields of this Dovecot series, with the names of this series.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Show only events and fields of this Dovecot release, such as 2.3.19.
    #[arg(long, value_name = "RELEASE", value_parser = release, conflicts_with = "dialect")]
    dovecot: Option<Release>,
    /// Show only events that have this field.
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Output format; json is one object.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    #[arg(long, hide = true)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let catalogue = Catalogue::new();
    let series = arguments
        .dialect
        .map(|dialect| Target::from(event::Dialect::from(dialect)));
    let target = arguments.dovecot.and_then(target_of).or(series);
    let mut found = find(&catalogue, arguments.pattern.as_deref(), target);
    if let Some(field) = &arguments.field {
        found.retain(|event| has_field(event, field, target));
    }
    let is_whole = arguments.pattern.is_none() && arguments.field.is_none();
    let text = match (arguments.format.of(arguments.json), &arguments.pattern) {
        (Form::Json, _) if is_whole => json::whole(&catalogue, &found, target),
        (Form::Json, _) => json::events(&found, target),
        (Form::Text, _) if is_whole => overview(&catalogue, &found),
        (Form::Text, None) => list(&found),
        (Form::Text, Some(_)) => found.iter().map(|event| detail(event, target)).collect(),
    };
    Output::open(Path::new("-"))?.write_whole(text.as_bytes())?;
    if found.is_empty() {
        return Err(none(&catalogue, arguments, target));
    }
    Ok(Findings::None)
}

/// Returns the error for an unknown event, with similar names.
fn none(catalogue: &Catalogue, arguments: &Arguments, target: Option<Target>) -> Failure {
    let events = || {
        let events = catalogue.events().iter();
        events.filter(move |event| target.is_none_or(|target| event.is_in(target)))
    };
    let near = match (&arguments.field, &arguments.pattern) {
        (Some(field), _) => {
            let fields: BTreeSet<&str> = events()
                .flat_map(|event| &event.fields)
                .map(|field| field.name)
                .collect();
            similar(field.as_bytes(), fields, MAX_SUGGESTIONS)
        }
        (None, Some(name)) => {
            let names = events().map(|event| event.name);
            similar(name.as_bytes(), names, MAX_SUGGESTIONS)
        }
        (None, None) => Vec::new(),
    };
    let what = match &arguments.field {
        Some(field) => format!("no event is known to have the field {field}"),
        None => {
            let name = arguments.pattern.as_deref().unwrap_or_default();
            if catalogue.event(name.as_bytes()).is_some() {
                return Failure::new(format!(
                    "only the other series of Dovecot has the event {name}"
                ));
            }
            format!("Dovecot has no event {name}")
        }
    };
    Failure::new(match near.as_slice() {
        [] => format!("{what}; `fantail events` lists all"),
        near => format!("{what}; did you mean {}?", near.join(" or ")),
    })
}

/// Returns whether an event has a field, by its name in a series or in either.
fn has_field(event: &CatalogueEvent, name: &str, target: Option<Target>) -> bool {
    let targets = match target {
        Some(target) => vec![target],
        None => [event::Dialect::V2_3, event::Dialect::V2_4]
            .map(Target::from)
            .to_vec(),
    };
    let mut targets = targets.into_iter();
    EVERY_EVENT.contains(&name)
        || targets.any(|target| event.field(name.as_bytes(), target).is_some())
}

/// Returns the events with this name; otherwise those whose names contain it.
fn find<'a>(
    catalogue: &'a Catalogue,
    pattern: Option<&str>,
    target: Option<Target>,
) -> Vec<&'a CatalogueEvent> {
    let is_there = |event: &&CatalogueEvent| target.is_none_or(|target| event.is_in(target));
    let events = catalogue.events().iter().filter(is_there);
    let Some(pattern) = pattern else {
        return events.collect();
    };
    let exact = |event: &&CatalogueEvent| fits(pattern.as_bytes(), event.name.as_bytes());
    let found: Vec<&CatalogueEvent> = events.clone().filter(exact).collect();
    if found.is_empty() && !pattern.contains(['*', '?']) {
        return events
            .filter(|event| event.name.contains(pattern))
            .collect();
    }
    found
}

/// Returns whether a name matches a pattern with `*` and `?`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut name_at) = (0, 0);
    // The state to return to if the last `*` has to match one more byte.
    let mut retry: Option<(usize, usize)> = None;
    while name_at < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, name_at + 1));
                at += 1;
            }
            Some(byte) if *byte == b'?' || name.get(name_at) == Some(byte) => {
                at += 1;
                name_at += 1;
            }
            _ => match retry {
                Some((after_star, next)) => {
                    (at, name_at) = (after_star, next);
                    retry = Some((after_star, next + 1));
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

fn list(events: &[&CatalogueEvent]) -> String {
    let terminal = terminal::output_columns();
    let mut text = String::new();
    for event in events {
        let about = format!(
            "{}{}",
            event.description,
            versions(event.since, event.until)
        );
        text += &width::described(&format!("  {}", event.name), NAMES, &about, terminal);
    }
    text
}

fn overview(catalogue: &Catalogue, events: &[&CatalogueEvent]) -> String {
    let terminal = terminal::output_columns();
    let mut text = format!("Events:\n{}", list(events));
    text += "\nCategories:\n";
    for category in catalogue.categories() {
        let parent = category.parent.map(|parent| format!("part of {parent}"));
        let name = format!("  {}", category.name);
        text += &width::described(&name, NAMES, &parent.unwrap_or_default(), terminal);
    }
    text += "\nReason codes:\n";
    for code in catalogue.reason_codes() {
        let _ = writeln!(text, "  {code}");
    }
    text
}

fn versions(since: Option<Release>, until: Option<Release>) -> String {
    match (since, until) {
        (None, None) => String::new(),
        (Some(since), None) => format!(" (since {since})"),
        (None, Some(until)) => format!(" (until {until})"),
        (Some(since), Some(until)) => format!(" (from {since} until {until})"),
    }
}

fn detail(event: &CatalogueEvent, target: Option<Target>) -> String {
    let mut text = String::new();
    let versions = versions(event.since, event.until);
    let terminal = terminal::output_columns();
    let _ = writeln!(text, "{}{versions}", event.name);
    text += &width::wrapped("  ", event.description, terminal);
    if let Some(category) = event.category {
        let _ = writeln!(text, "  category: {category}");
    }
    if event.bare {
        text += "  fields: not known\n";
    } else {
        text += "  fields:\n";
    }
    for field in &event.fields {
        if target.is_none_or(|target| field.is_in(target)) {
            let dialect = target.map(Target::dialect);
            text += &row(field, dialect, terminal);
        }
    }
    let everywhere = "fields of every event: duration (int, in microseconds), reason_code (list)";
    text + &width::wrapped("  ", everywhere, terminal) + "\n"
}

fn row(field: &Field, dialect: Option<event::Dialect>, terminal: Option<usize>) -> String {
    let name = dialect.map_or(field.name, |dialect| field.key(dialect));
    let kind = dialect.map_or(field.kind, |dialect| field.kind(dialect));
    let mut remarks: Vec<String> = Vec::new();
    if !field.values.is_empty() {
        remarks.push(field.values.join(" | "));
    }
    remarks.extend(field.unit.map(|unit| format!("in {unit}")));
    if dialect.is_none() {
        remarks.extend(field.name_2_3.map(|name| format!("2.3: {name}")));
        if field.kind_2_3 != field.kind {
            remarks.push(format!("2.3: {}", field.kind_2_3.as_str()));
        }
    }
    remarks.extend(field.sent_as.map(|name| format!("sent as `{name}`")));
    remarks.extend(field.since.map(|since| format!("since {since}")));
    remarks.extend(field.until.map(|until| format!("until {until}")));
    if !field.seen.is_empty() {
        remarks.push(format!("seen in {}", field.seen.join(" and ")));
    }
    let remarks = remarks.join(", ");
    let name = format!("    {name:28} {}", kind.as_str());
    width::described(&name, REMARKS, &remarks, terminal)
}
