//! Counts at the terms of a filter; `/api/v1/explain/recent` counts the kept events.

use axum::{
    extract::{Query, State},
    response::Response,
};
use fantail_event::Timestamp;
use fantail_wire::reader::TermCounts;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::refused_by_control;
use crate::{
    ControlError, ControlErrorKind, Handle,
    control::taps::hides_fields,
    handle::TapView,
    http::{Context, api::json_answer},
    process::thread,
    socket::past::Past,
    worker::tap::{Audience, TapRequest},
};

/// Returns the counts of a filter. The last value of a near miss is left out if
/// exporters may not write all fields.
pub(super) fn counts_value(seen: u64, terms: &[TermCounts<'_>], is_hiding: bool) -> Value {
    let terms: Vec<_> = terms.iter().map(|counts| term(counts, is_hiding)).collect();
    json!({ "seen": seen, "terms": terms })
}

/// A row of the filter's tree.
fn term(counts: &TermCounts<'_>, is_hiding: bool) -> Value {
    let saw = match is_hiding {
        true => "".into(),
        false => String::from_utf8_lossy(&counts.saw),
    };
    json!({
        "depth": counts.depth,
        "text": String::from_utf8_lossy(&counts.text),
        "held": counts.held,
        "passed": counts.passed,
        "missed": counts.missed,
        "saw": saw,
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    filter: String,
}

/// Answers with the counts of the kept events at each term of a filter.
pub(super) async fn of_recent(
    State(context): State<Context>,
    Query(parameters): Query<Parameters>,
) -> Response {
    match count_recent(&context.handle, parameters.filter.into_bytes()).await {
        Ok(counts) => json_answer(&counts),
        Err(error) => refused_by_control(&error),
    }
}

async fn count_recent(handle: &Handle, filter: Vec<u8>) -> Result<Value, ControlError> {
    let mut memory = handle.answers.reserve_anyway(0);
    if !memory.grow(handle.recent_bytes) {
        return Err(ControlErrorKind::Busy.into());
    }
    let open = handle.tap(TapRequest {
        audience: Audience::Pages,
        asks: false,
        filter,
        format: b"json".to_vec(),
        explain: true,
        ask_for: Vec::new(),
        past: true,
        live: false,
        memory: handle.answers.clone(),
    });
    let open = open.await?;
    let TapView::Counts(counter) = open.view else {
        debug_assert!(false, "counts were requested");
        return Err(ControlErrorKind::Ended.into());
    };
    let mut workers = Vec::new();
    for snapshot in open.recent {
        // A worker that has ended has no events.
        workers.extend(snapshot.await.ok());
    }
    let begins = workers.iter().map(|worker| worker.complete_from).max();
    let left_out: u64 = workers.iter().map(|worker| worker.left_out).sum();
    let past = Past {
        view: TapView::Counts(counter.clone()),
        dialect: handle.dialect(),
        since: Timestamp::from_unix_micros(i64::MIN),
        until: Timestamp::from_unix_micros(i64::MAX),
        memory,
    };
    // Counting makes no pieces.
    let (sender, _) = mpsc::channel(1);
    let counted = thread::run("explain", move || past.run(workers, &sender)).await;
    counted.map_err(|_| ControlErrorKind::Busy)?;
    let (seen, terms) = counter.counts();
    let is_hiding = hides_fields(&handle.live.borrow().settings);
    let mut value = counts_value(seen, &terms, is_hiding);
    value["begins_unix_us"] = begins.map(Timestamp::unix_micros).into();
    value["left_out"] = left_out.into();
    Ok(value)
}
