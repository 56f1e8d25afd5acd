//! The crate `wirefilter-engine`.

use fantail_benches::rules::{Events, Rule, fields};
use wirefilter::{ExecutionContext, Scheme, Type};

use super::{
    Engine,
    plain::{Plain, Words, categories, category_key, expression, field_key},
};

/// Returns wirefilter's declaration of the fields.
pub(crate) fn schema(rules: &[Rule]) -> Scheme {
    let mut schema = Scheme::new();
    let mut add = |key: String, kind| schema.add_field(key, kind).expect("fields differ");
    add("field_event".to_owned(), Type::Bytes);
    for (key, is_number) in fields(rules) {
        add(
            field_key(key),
            if is_number { Type::Int } else { Type::Bytes },
        );
    }
    for category in categories(rules) {
        add(category_key(category), Type::Bool);
    }
    schema
}

/// Cloudflare's wirefilter.
pub(crate) struct Wirefilter<'a> {
    filters: Vec<wirefilter::Filter<'a>>,
    contexts: Vec<ExecutionContext<'a>>,
}

impl<'a> Wirefilter<'a> {
    pub(crate) fn new(schema: &'a Scheme, events: &'a Events<'a>, rules: &'a [Rule]) -> Self {
        let words = Words {
            equal: "==",
            and: " && ",
            or: " || ",
            not: "!",
        };
        let compile = |rule| {
            let text = expression(rule, &words);
            schema.parse(&text).expect("an expression").compile()
        };
        let context = |event| {
            let plain = Plain::new(events, event, rules);
            let mut context = ExecutionContext::new(schema);
            context
                .set_field_value("field_event", plain.name)
                .expect("known");
            for (key, value) in plain.texts {
                context
                    .set_field_value(&field_key(key), value)
                    .expect("known");
            }
            for (key, value) in plain.numbers {
                let value = i32::try_from(value).unwrap_or(i32::MAX);
                context
                    .set_field_value(&field_key(key), value)
                    .expect("known");
            }
            for (key, value) in plain.categories {
                context.set_field_value(&key, value).expect("known");
            }
            context
        };
        Self {
            filters: rules.iter().map(compile).collect(),
            contexts: events.events.iter().map(context).collect(),
        }
    }
}

impl Engine for Wirefilter<'_> {
    fn events(&self) -> usize {
        self.contexts.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for context in self.contexts.iter().step_by(stride) {
            for filter in &self.filters {
                matches += usize::from(filter.execute(context) == Ok(true));
            }
        }
        matches
    }
}
