//! `/api/v1/catalogue`: the events, fields and categories that Dovecot has.

use axum::{extract::State, response::Response};
use fantail_config::Target;
use fantail_lint::{Catalogue, CatalogueEvent};
use serde_json::{Value, json};

use crate::http::{Context, api::json_answer};

/// Answers with the catalogue for the Dovecot of the configuration in force.
pub(super) async fn answer(State(context): State<Context>) -> Response {
    let target = context.handle.live.borrow().settings.target();
    let catalogue = Catalogue::new();
    let events = catalogue.events().iter();
    let events = events.filter(|event| event.is_in(target));
    let categories = catalogue.categories().iter();
    let categories = categories.map(|one| json!({ "name": one.name, "parent": one.parent }));
    json_answer(&json!({
        "dovecot": target.to_string(),
        "events": events.map(|one| event(one, target)).collect::<Vec<_>>(),
        "categories": categories.collect::<Vec<_>>(),
    }))
}

fn event(one: &CatalogueEvent, target: Target) -> Value {
    let dialect = target.dialect();
    let fields = one.fields.iter().filter(|field| field.is_in(target));
    let fields = fields.map(|field| {
        json!({
            "name": field.key(dialect),
            "type": field.kind(dialect).as_str(),
            "unit": field.unit,
            "values": field.values,
        })
    });
    json!({
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "since": one.since.map(|release| release.to_string()),
        "fields": fields.collect::<Vec<_>>(),
        "fields_known": !one.bare,
    })
}
