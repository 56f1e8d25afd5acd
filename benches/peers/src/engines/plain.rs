//! Events and filters for other engines: all fields exist, texts and numbers
//! are separate, categories are booleans.

use fantail_benches::rules::{Events, Rule, fields};
use fantail_event::{Event, EventView, ValueRef};

/// Returns the categories in rules; other engines have a boolean for each.
pub(super) fn categories(rules: &[Rule]) -> Vec<&str> {
    let mut names: Vec<_> = rules
        .iter()
        .filter_map(|it| it.category.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns a key that is not a reserved word.
pub(super) fn field_key(key: &str) -> String {
    format!("field_{key}")
}

pub(super) fn category_key(category: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!(
        "category_{}",
        category.chars().map(plain).collect::<String>()
    )
}

/// An event for other engines, which require all fields.
pub(super) struct Plain<'a> {
    pub(super) name: &'a str,
    pub(super) texts: Vec<(&'a str, &'a str)>,
    pub(super) numbers: Vec<(&'a str, i64)>,
    pub(super) categories: Vec<(String, bool)>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(events: &'a Events<'a>, event: &'a Event, rules: &'a [Rule]) -> Self {
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
        let mut plain = Self {
            name: text(event.as_event_ref().name().unwrap_or_default()),
            texts: Vec::new(),
            numbers: Vec::new(),
            categories: Vec::new(),
        };
        for (key, is_number) in fields(rules) {
            let value = event.as_event_ref().field(key.as_bytes());
            match (is_number, value) {
                (true, Some(ValueRef::Int(number))) => plain.numbers.push((key, number)),
                (true, _) => plain.numbers.push((key, i64::from(i32::MIN))),
                (false, Some(ValueRef::Str(value))) => plain.texts.push((key, text(value))),
                (false, _) => plain.texts.push((key, "")),
            }
        }
        let sent = events.sent(event);
        let has = |it: &str| (category_key(it), sent.in_category(it.as_bytes()));
        plain.categories = categories(rules).into_iter().map(has).collect();
        plain
    }
}

/// The syntax of expressions of another engine.
pub(super) struct Words {
    pub(super) equal: &'static str,
    pub(super) and: &'static str,
    pub(super) or: &'static str,
    pub(super) not: &'static str,
}

pub(super) fn expression(rule: &Rule, words: &Words) -> String {
    let equal = |key: &str, value: &str| format!("{} {} \"{value}\"", field_key(key), words.equal);
    let mut terms = Vec::new();
    terms.extend(rule.name.as_ref().map(|name| equal("event", name)));
    terms.extend(rule.category.as_ref().map(|it| category_key(it)));
    let any: Vec<_> = rule
        .any
        .iter()
        .map(|(key, value)| equal(key, value))
        .collect();
    match &*any {
        [] => {}
        [one] => terms.push(one.clone()),
        many => terms.push(format!("({})", many.join(words.or))),
    }
    terms.extend(
        rule.above
            .as_ref()
            .map(|(key, n)| format!("{} > {n}", field_key(key))),
    );
    let not = rule.not.as_ref();
    terms.extend(not.map(|(key, value)| format!("{}({})", words.not, equal(key, value))));
    terms.join(words.and)
}
