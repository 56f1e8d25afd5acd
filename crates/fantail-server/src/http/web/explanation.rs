//! `/api/v1/explain`: why a filter matches an event that a person has written, or not.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use fantail_config::{Limits, Memory, TestEvent, TestFile, WrittenEvent};
use fantail_event::{CategoryTree, Dialect, SentEvent, Timestamp};
use fantail_filter::{Filter, Row, Term};
use fantail_lint::Catalogue;
use fantail_syntax::ParseOptions;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read_json, refuse};
use crate::http::{Context, api::json_answer};

#[derive(Debug, Deserialize)]
struct Question {
    filter: String,
    /// `event NAME { … }`, as in the files of `fantail test`.
    event: String,
}

/// The name of the text of the event in messages.
const EVENT: &str = "event";

/// Answers with the tree of the filter and the result of each part.
pub(super) async fn of_event(State(context): State<Context>, request: Request) -> Response {
    let question: Question = match read_json(request).await {
        Ok(question) => question,
        Err(refused) => return refused,
    };
    match explain(&question, context.handle.dialect()) {
        Ok(answer) => json_answer(&answer),
        Err(why) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &why.0),
    }
}

/// Why an event or a filter cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct Unreadable(String);

fn explain(question: &Question, dialect: Dialect) -> Result<Value, Unreadable> {
    let filter = Filter::parse(question.filter.as_bytes(), &ParseOptions::new(dialect));
    let filter = filter.map_err(|errors| Unreadable(errors.to_string()))?;
    let written = read(&question.event)?;
    let catalogue = Catalogue::new();
    let mut categories = CategoryTree::default();
    // Filters may mention categories that the event does not have.
    for category in catalogue.categories() {
        // A pattern such as `service:*` is refused, and is no category of an event.
        let _ = catalogue.register(category.name.as_bytes(), &mut categories);
    }
    let created = Timestamp::from_unix_micros(0);
    let event = catalogue.make(&written, created, dialect, &mut categories);
    let event = event.map_err(|error| Unreadable(error.to_string()))?;
    let sent = SentEvent {
        level: written.level,
        categories: &categories,
        ..SentEvent::alone(&event)
    };
    let explanation = filter.explain(&sent);
    let rows: Vec<Value> = explanation.rows().map(|row| row_value(&row)).collect();
    Ok(json!({
        "matches": explanation.matches(),
        "verdict": explanation.verdict(),
        "rows": rows,
    }))
}

fn row_value(row: &Row<'_>) -> Value {
    let finding = match row.term {
        Term::Comparison(_, finding) => Some(finding.to_string()),
        _ => None,
    };
    json!({
        "depth": row.depth,
        "text": row.term.to_string(),
        "holds": row.outcome.holds,
        "decisive": row.outcome.is_decisive,
        "finding": finding,
    })
}

/// Reads `event NAME { … }`.
fn read(text: &str) -> Result<WrittenEvent, Unreadable> {
    let file = format!("test page {{\n{text}\n}}\n");
    let memory = Memory::new().with(EVENT, file);
    let file = TestFile::load(EVENT.as_bytes(), &memory, &Limits::default());
    let mut events = file.tests.into_iter().flat_map(|test| test.events);
    if let (Some(TestEvent::Written(event)), None) = (events.next(), events.next()) {
        return Ok(event);
    }
    let expected = "expected one event, such as `event imap_command_finished {`, lines \
        `FIELD = VALUE`, and `}`";
    // The first error that is not about the test around the event.
    let mut errors = file.diagnostics.iter();
    let why = errors.find(|error| error.primary.as_ref().is_some_and(|at| at.span.start > 0));
    Err(Unreadable(match why {
        Some(why) => format!("{expected}: {}", why.message),
        None => expected.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use fantail_event::Dialect;

    use super::{Question, explain};

    fn ask(filter: &str, event: &str) -> Result<serde_json::Value, String> {
        let question = Question {
            filter: filter.to_owned(),
            event: event.to_owned(),
        };
        explain(&question, Dialect::V2_4).map_err(|why| why.0)
    }

    #[test]
    fn each_term_of_the_filter_is_explained() {
        let event = "event imap_command_finished {\n  cmd_name = SELECT\n  bytes_out = 12\n}";
        let answer = ask("event=imap_command_finished AND bytes_out>100", event).unwrap();
        assert_eq!(answer["matches"], false);
        let rows = answer["rows"].as_array().unwrap();
        let holds: Vec<_> = rows.iter().map(|row| row["holds"] == true).collect();
        assert_eq!(holds, [false, true, false]);
        assert!(
            rows[2]["finding"].as_str().unwrap().contains("12"),
            "{rows:?}"
        );
        let answer = ask("category=imap AND NOT category=pop3", event).unwrap();
        assert_eq!(answer["matches"], true, "{answer}");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for event in [
            "",
            "x",
            "event a {",
            "event a {\n}\nevent b {\n}",
            "!include /etc/passwd",
        ] {
            let error = ask("event=a", event).unwrap_err();
            assert!(error.starts_with("expected one event"), "{event}: {error}");
        }
        assert!(ask("a =", "event a {\n}").is_err());
    }
}
