//! The fields that filters, metrics and levels name.

use fantail_config::{Severity, Span};
use fantail_filter::Test;

use super::{Scope, Subject, events::when, shown};
use crate::{
    Finding, LintCode,
    catalogue::{Field, FieldType, stands_for},
    finding::enumerate,
};

/// The maximum number of names in a message.
const NAMES: usize = 3;

/// Common names of fields, and Dovecot's names.
const ALIASES: [(&str, &str); 8] = [
    ("client_ip", "remote_ip"),
    ("command", "cmd_name"),
    ("folder", "mailbox"),
    ("host", "remote_ip"),
    ("ip", "remote_ip"),
    ("rip", "remote_ip"),
    ("status", "tagged_reply_state"),
    ("username", "user"),
];

/// The fields that any event may have.
const EVERYWHERE: [&[u8]; 2] = [b"duration", b"reason_code"];

/// Reports fields in the filter.
pub(super) fn check_filter(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let written = subject.filter().tree().comparisons();
    let tests = subject.filter().comparisons().iter().zip(written);
    for (index, (comparison, written)) in tests.enumerate() {
        let Test::Field(test) = comparison.test() else {
            continue;
        };
        let before = findings.len();
        let place = subject.place(written.key_span.clone());
        check_key(&subject.scope, &test.key, place, findings);
        // The filter wants events without the field: only an error in its name matters.
        if test.text.is_empty() && subject.is_wanted(index) {
            let slips = [LintCode::UnknownField, LintCode::RenamedField].map(LintCode::as_str);
            let is_slip =
                |one: &Finding| slips.contains(&one.code) && one.severity > Severity::Hint;
            let found = findings.split_off(before);
            findings.extend(found.into_iter().filter(is_slip));
        }
    }
}

/// Reports texts in `fields` of a metric without an exporter: they have no sum, and
/// are not exported.
pub(super) fn check_texts(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (metric, scope) = (subject.metric, &subject.scope);
    if !metric.exporters.is_empty() || scope.open {
        return;
    }
    let is_text = |key: &[u8]| {
        let carriers = carriers(scope, key);
        let mut kinds = carriers.iter().map(|field| field.kind(scope.dialect()));
        !carriers.is_empty() && !kinds.any(|kind| kind == FieldType::Integer)
    };
    let fields = metric.settings.fields.iter().zip(&metric.spans.fields);
    let mut texts = fields.filter(|(key, _)| key.as_slice() != b"duration" && is_text(key));
    let Some((first, place)) = texts.next() else {
        return;
    };
    let message = format!(
        "`{}` is no number: in a metric without an exporter it has no effect but a row of zeros",
        shown(first)
    );
    let others: Vec<String> = texts.map(|(key, _)| shown(key)).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let finding = Finding::new(LintCode::NoEffect, message, *place);
    let finding = match others.as_slice() {
        [] => finding,
        others => finding.note(format!("neither have {}", enumerate(others, "and"))),
    };
    findings.push(
        finding
            .help("name an `exporter` to export it, or count each of its values with `group_by`"),
    );
}

/// Reports fields in `fields` and `group_by`.
pub(super) fn check_lists(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let metric = subject.metric;
    for (field, place) in metric.settings.fields.iter().zip(&metric.spans.fields) {
        check_key(&subject.scope, field, *place, findings);
    }
    for (level, place) in metric.settings.group_by.iter().zip(&metric.spans.group_by) {
        check_key(&subject.scope, &level.field, *place, findings);
    }
    if let (Some(top), Some(place)) = (&metric.settings.top, metric.spans.top) {
        let keys = std::iter::once(top.field()).chain(top.weight());
        keys.for_each(|key| check_key(&subject.scope, key, place, findings));
    }
}

/// Reports a field that no event in question has.
pub(super) fn check_key(scope: &Scope<'_>, key: &[u8], place: Span, findings: &mut Vec<Finding>) {
    if scope.open || scope.events.is_empty() || EVERYWHERE.contains(&key) {
        return;
    }
    let mut events = scope.events.iter();
    if !carriers(scope, key).is_empty() || events.any(|event| event.bare && scope.is_narrow()) {
        return;
    }
    if let Some(finding) = otherwise(scope, key, place) {
        findings.push(finding);
        return;
    }
    let stray = scope.catalogue().stray_fields().iter();
    if stray
        .map(|field| field.name.as_bytes())
        .any(|name| name == key)
    {
        return;
    }
    findings.push(match elsewhere(scope, key).as_slice() {
        _ if alias(scope, key).is_some() => unknown(scope, key, place),
        [] => unknown(scope, key, place),
        others => not_carried(scope, key, others, place),
    });
}

/// Returns the field with this key of each event in question that has it.
pub(super) fn carriers<'a>(scope: &Scope<'a>, key: &[u8]) -> Vec<&'a Field> {
    if scope.is_whole() {
        let carriers = scope.series.carriers(key).into_iter();
        return carriers.map(|(_, field)| field).collect();
    }
    let events = scope.events.iter();
    events
        .filter_map(|event| event.field(key, scope.series.target))
        .collect()
}

/// Reports a field that the events have under another name, or in another
/// series.
fn otherwise(scope: &Scope<'_>, key: &[u8], place: Span) -> Option<Finding> {
    let fields = scope.events.iter().flat_map(|event| &event.fields);
    let field = fields.clone().find(|field| {
        let names = [Some(field.name), field.name_2_3, field.sent_as];
        names
            .into_iter()
            .flatten()
            .any(|name| stands_for(name, key))
    })?;
    let (written, target) = (shown(key), scope.series.target);
    let dialect = target.dialect();
    let present = field.key(dialect);
    if field.is_in(target) && present.as_bytes() != key {
        let message = match field.sent_as {
            Some(_) => format!("`{written}` is documented, but what is sent is `{present}`"),
            None => format!("Dovecot {dialect} calls `{written}` `{present}`"),
        };
        return Some(
            Finding::new(LintCode::RenamedField, message, place).help(format!("write `{present}`")),
        );
    }
    let when = when(field.since, field.until, target)?;
    let message = format!("Dovecot {target} does not send `{written}` in these events");
    Some(Finding::new(LintCode::FieldVersion, message, place).label(when))
}

/// Returns the names of other events with the field.
fn elsewhere<'a>(scope: &Scope<'a>, key: &[u8]) -> Vec<&'a str> {
    let carriers = scope.series.carriers(key).into_iter();
    carriers.map(|(event, _)| event.name).collect()
}

/// Returns Dovecot's name of a field with a common name, if these events have
/// it.
fn alias(scope: &Scope<'_>, key: &[u8]) -> Option<&'static str> {
    let mut aliases = ALIASES.iter();
    let (_, name) = aliases.find(|(alias, _)| alias.as_bytes() == key)?;
    let has_it = !carriers(scope, name.as_bytes()).is_empty();
    has_it.then_some(*name)
}

fn unknown(scope: &Scope<'_>, key: &[u8], place: Span) -> Finding {
    if let Some(name) = alias(scope, key) {
        let message = format!("these events are not known to carry `{}`", shown(key));
        return Finding::new(LintCode::UnknownField, message, place).suggest(&[name]);
    }
    let message = format!("no event of Dovecot is known to carry `{}`", shown(key));
    let finding = Finding::new(LintCode::UnknownField, message, place);
    if let Some(name) = key.strip_suffix(b",") {
        let note = "names are separated by blanks: the comma is part of this one";
        return finding.note(note).help(format!("write `{}`", shown(name)));
    }
    let near = if scope.is_whole() {
        let keys = scope.series.keys().iter().copied();
        scope.series.similar(key, keys, NAMES)
    } else {
        scope.series.similar(key, keys_of(scope), NAMES)
    };
    if near.is_empty() {
        // It may be a field of a plugin, or an undocumented one.
        return finding.severity(Severity::Hint);
    }
    finding.suggest(&near)
}

/// Returns the keys of all fields of these events, sorted.
fn keys_of(scope: &Scope<'_>) -> Vec<&'static str> {
    let fields = scope.events.iter().flat_map(|event| event.fields.iter());
    let fields = fields.filter(|field| field.is_in(scope.series.target));
    let mut keys: Vec<_> = fields.map(|field| field.key(scope.dialect())).collect();
    keys.push("duration");
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn not_carried(scope: &Scope<'_>, key: &[u8], others: &[&str], place: Span) -> Finding {
    let written = shown(key);
    let message = match scope.events.as_slice() {
        [event] => format!("`{written}` is not known to be a field of `{}`", event.name),
        _ => format!("`{written}` is not known to be a field of these events"),
    };
    let (told, more) = others.split_at(others.len().min(NAMES));
    let told = enumerate(told, "and");
    let note = match more.len() {
        0 => format!("it is one of {told}"),
        more => format!("it is one of {told}, and of {more} more"),
    };
    Finding::new(LintCode::FieldNotCarried, message, place).note(note)
}
