//! The catalogue as JSON.

use fantail::{
    config::{Release, Target},
    event::Dialect,
    lint::{Catalogue, CatalogueEvent, Field},
};
use serde_json::{Map, Value, json};

/// Returns events, categories and reason codes.
pub(super) fn whole(
    catalogue: &Catalogue,
    found: &[&CatalogueEvent],
    target: Option<Target>,
) -> String {
    let categories = catalogue.categories().iter();
    let categories: Vec<Value> = categories
        .map(|one| json!({ "name": one.name, "parent": one.parent }))
        .collect();
    let report = json!({
        "events": list(found, target),
        "categories": categories,
        "reason_codes": catalogue.reason_codes(),
    });
    format!("{report:#}\n")
}

/// Returns events only.
pub(super) fn events(found: &[&CatalogueEvent], target: Option<Target>) -> String {
    let report = json!({ "events": list(found, target) });
    format!("{report:#}\n")
}

fn list(found: &[&CatalogueEvent], target: Option<Target>) -> Vec<Value> {
    found.iter().map(|one| event(one, target)).collect()
}

fn event(one: &CatalogueEvent, target: Option<Target>) -> Value {
    let fields = one.fields.iter();
    let fields: Vec<Value> = fields
        .filter(|field| target.is_none_or(|target| field.is_in(target)))
        .map(|one| field(one, target.map(Target::dialect)))
        .collect();
    json!({
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "since": version(one.since),
        "until": version(one.until),
        "fields_known": !one.bare,
        "fields": fields,
    })
}

fn field(one: &Field, dialect: Option<Dialect>) -> Value {
    let mut object = Map::new();
    let name = dialect.map_or(one.name, |dialect| one.key(dialect));
    let kind = dialect.map_or(one.kind, |dialect| one.kind(dialect));
    object.insert("name".to_owned(), name.into());
    object.insert("type".to_owned(), kind.as_str().into());
    let mut insert = |key: &str, value: Value| {
        if !value.is_null() {
            object.insert(key.to_owned(), value);
        }
    };
    if dialect.is_none() {
        insert("name_2_3", one.name_2_3.into());
        let other = (one.kind_2_3 != one.kind).then(|| one.kind_2_3.as_str());
        insert("type_2_3", other.into());
    }
    insert("unit", one.unit.into());
    insert("since", version(one.since));
    insert("until", version(one.until));
    insert("sent_as", one.sent_as.into());
    insert("values", list_of(&one.values));
    insert("seen_in", list_of(&one.seen));
    Value::Object(object)
}

fn list_of(words: &[&str]) -> Value {
    if words.is_empty() {
        Value::Null
    } else {
        json!(words)
    }
}

fn version(version: Option<Release>) -> Value {
    version.map(|version| version.to_string()).into()
}
