//! Errors of `group_by`: buckets that miss the data, and an unlimited number of
//! series.

use fantail_config::Span;
use fantail_metrics::{GroupBy, Method};

use super::{Subject, fields, shown};
use crate::{Finding, LintCode, catalogue::FieldType};

/// Fields with a value for each user, address, session or mail.
const ENDLESS: [&str; 37] = [
    "attachment_name",
    "auth_user",
    "client_id",
    "cmd_args",
    "cmd_human_args",
    "cmd_tag",
    "connection_id",
    "error",
    "id",
    "key",
    "last_run_time",
    "local_port",
    "login_user",
    "mail_from",
    "mail_from_raw",
    "mailbox",
    "mailbox_guid",
    "message_id",
    "message_subject",
    "original_user",
    "path",
    "rcpt_to",
    "real_remote_ip",
    "real_remote_port",
    "remote_ip",
    "remote_pid",
    "remote_port",
    "request_id",
    "seq",
    "session",
    "tagged_reply",
    "target",
    "transaction_id",
    "translated_user",
    "txid",
    "uid",
    "user",
];

/// The end of buckets in microseconds that are too short for slow events.
const SLOW: i64 = 1_000_000;

/// The end of buckets in microseconds that are too short for any event.
const MILLISECOND: i64 = 1_000;

/// Reports the levels of a metric.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let metric = subject.metric;
    for (level, place) in metric.settings.group_by.iter().zip(&metric.spans.group_by) {
        let finding = match &level.method {
            Method::Discrete(modifiers) if modifiers.is_empty() => many_values(level, *place),
            Method::Discrete(_) => None,
            Method::Exponential(_) | Method::Linear(_) => {
                of_text(subject, level, *place).or_else(|| too_short(subject, level, *place))
            }
        };
        findings.extend(finding);
    }
}

fn many_values(level: &GroupBy, place: Span) -> Option<Finding> {
    let key = std::str::from_utf8(&level.field).ok()?;
    ENDLESS.binary_search(&key).ok()?;
    let message = format!("a series for each value of `{key}` can become very many");
    let finding = Finding::new(LintCode::ManyValues, message, place)
        .note("Dovecot keeps them all until it is restarted, and slows down with their number");
    Some(
        if key.contains("user") || key == "mail_from" || key == "rcpt_to" {
            finding.help("2.4 can group by the domain alone: `modifier = %{value | domain}`")
        } else {
            finding
        },
    )
}

/// Reports buckets of a field that is not a number.
fn of_text(subject: &Subject<'_>, level: &GroupBy, place: Span) -> Option<Finding> {
    if level.field == b"duration" {
        return None;
    }
    let dialect = subject.scope.dialect();
    let fields = fields::carriers(&subject.scope, &level.field);
    let first = fields.first()?.kind(dialect);
    let is_number = |kind| kind == FieldType::Integer;
    if fields.iter().any(|field| is_number(field.kind(dialect))) {
        return None;
    }
    let key = shown(&level.field);
    let message = format!("`{key}` is no number: there will be no buckets");
    Some(
        Finding::new(LintCode::BucketsOfText, message, place)
            .label(format!("its type is {}", first.as_str())),
    )
}

/// Reports buckets of the duration that end where the data begins.
fn too_short(subject: &Subject<'_>, level: &GroupBy, place: Span) -> Option<Finding> {
    if level.field != b"duration" {
        return None;
    }
    let buckets = level.method.buckets()?;
    let top = buckets.upper_bound(buckets.bounds().checked_sub(1)?)?;
    if top < MILLISECOND {
        let message = "these buckets end before a millisecond";
        return Some(
            Finding::new(LintCode::BucketsMiss, message, place)
                .note("`duration` is in microseconds"),
        );
    }
    // Only reported if it is true for all events in question.
    let slow = subject.scope.events.first()?;
    if top >= SLOW || subject.scope.open || !subject.scope.events.iter().all(|event| event.slow) {
        return None;
    }
    let milliseconds = top / MILLISECOND;
    let message =
        format!("everything of more than {milliseconds} ms falls into the last of these buckets");
    Some(
        Finding::new(LintCode::BucketsMiss, message, place)
            .label(format!("`{}` commonly takes longer", slow.name))
            .help("let them go to 10 s at least: a maximum magnitude of 7, base 10"),
    )
}

/// Reports `series_limit` in a metric that is a single series.
pub(super) fn check_limit(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let metric = subject.metric;
    if let (Some(place), []) = (
        metric.spans.series_limit,
        metric.settings.group_by.as_slice(),
    ) {
        let message = "`series_limit` has no effect in a metric without `group_by`";
        findings.push(Finding::new(LintCode::NoEffect, message, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_fields_are_in_order() {
        assert!(ENDLESS.is_sorted());
    }
}
