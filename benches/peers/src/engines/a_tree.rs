//! The crate `a-tree`.

use a_tree::AttributeDefinition;
use fantail_benches::rules::{Events, Rule, fields};

use super::{
    Engine,
    plain::{Plain, Words, categories, category_key, expression, field_key},
};

/// The published A-Tree.
pub(crate) struct ATree {
    tree: a_tree::ATree<u64>,
    events: Vec<a_tree::Event>,
}

impl ATree {
    pub(crate) fn new(events: &Events<'_>, rules: &[Rule]) -> Self {
        let mut attributes = vec![AttributeDefinition::string("field_event")];
        for (key, is_number) in fields(rules) {
            attributes.push(match is_number {
                true => AttributeDefinition::integer(&field_key(key)),
                false => AttributeDefinition::string(&field_key(key)),
            });
        }
        let categories = categories(rules).into_iter().map(category_key);
        attributes.extend(categories.map(|key| AttributeDefinition::boolean(&key)));
        let mut tree = a_tree::ATree::new(&attributes).expect("attributes differ");
        let words = Words {
            equal: "=",
            and: " and ",
            or: " or ",
            not: "not ",
        };
        for (number, rule) in (0..).zip(rules) {
            let text = expression(rule, &words);
            tree.insert(&number, &text).expect("an expression");
        }
        let make = |event| {
            let plain = Plain::new(events, event, rules);
            let mut builder = tree.make_event();
            builder
                .with_string("field_event", plain.name)
                .expect("known");
            for (key, value) in &plain.texts {
                builder.with_string(&field_key(key), value).expect("known");
            }
            for (key, value) in &plain.numbers {
                builder
                    .with_integer(&field_key(key), *value)
                    .expect("known");
            }
            for (key, value) in &plain.categories {
                builder.with_boolean(key, *value).expect("known");
            }
            builder.build().expect("all are set")
        };
        let events = events.events.iter().map(make).collect();
        Self { tree, events }
    }
}

impl Engine for ATree {
    fn events(&self) -> usize {
        self.events.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let search = |event| self.tree.search(event).map_or(0, |it| it.matches().len());
        self.events.iter().step_by(stride).map(search).sum()
    }
}
