//! The crate `cel`.

use fantail_benches::rules::{Events, Rule};

use super::{
    Engine,
    plain::{Plain, Words, expression, field_key},
};

/// The Common Expression Language, interpreted.
pub(crate) struct Cel {
    programs: Vec<cel::Program>,
    contexts: Vec<cel::Context<'static, 'static>>,
}

impl Cel {
    pub(crate) fn new(events: &Events<'_>, rules: &[Rule]) -> Self {
        let words = Words {
            equal: "==",
            and: " && ",
            or: " || ",
            not: "!",
        };
        let compile = |rule| cel::Program::compile(&expression(rule, &words)).expect("is CEL");
        let context = |event| {
            let plain = Plain::new(events, event, rules);
            let mut context = cel::Context::default();
            context.add_variable_from_value("field_event", plain.name.to_owned());
            for (key, value) in plain.texts {
                context.add_variable_from_value(field_key(key), value.to_owned());
            }
            for (key, value) in plain.numbers {
                context.add_variable_from_value(field_key(key), value);
            }
            for (key, value) in plain.categories {
                context.add_variable_from_value(key, value);
            }
            context
        };
        Self {
            programs: rules.iter().map(compile).collect(),
            contexts: events.events.iter().map(context).collect(),
        }
    }
}

impl Engine for Cel {
    fn events(&self) -> usize {
        self.contexts.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for context in self.contexts.iter().step_by(stride) {
            let holds =
                |it: &&cel::Program| matches!(it.execute(context), Ok(cel::Value::Bool(true)));
            matches += self.programs.iter().filter(holds).count();
        }
        matches
    }
}
