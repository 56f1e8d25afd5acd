//! An event with all that it inherits, as one event: what is exported.

use alloc::{borrow::Cow, vec::Vec};

use crate::{Bytes, Event, SentEvent, Value};

impl<'a> SentEvent<'a> {
    /// The event with everything it inherits written into it.
    ///
    /// The global event's chain from its root down, then the event's own
    /// chain from its root down: each field stands where its key first came
    /// up, with the value set last; lists are joined without duplicates.
    /// Categories are gathered with their ancestors, each once, in the order
    /// in which they come up (Dovecot's order is that of a hash table).
    #[must_use]
    pub fn flatten(&self) -> Event<'a> {
        let mut flat = self.event.clone_without_fields();
        let downward = self.global.iter().rev().chain(self.parents.iter().rev());
        for event in downward.copied().chain(core::iter::once(self.event)) {
            for category in &event.categories {
                self.gather_category(category, &mut flat.categories);
            }
            for field in event.fields() {
                let joined = join(flat.own_field(&field.key), &field.value);
                flat.set(field.key.clone(), joined);
            }
        }
        flat
    }

    fn gather_category(&self, category: &'a Bytes<'a>, into: &mut Vec<Bytes<'a>>) {
        for name in self.categories.with_ancestors(category) {
            if !into.iter().any(|known| **known == *name) {
                into.push(Cow::Borrowed(name));
            }
        }
    }
}

fn join<'a>(old: Option<&Value<'a>>, new: &Value<'a>) -> Value<'a> {
    let (Some(Value::List(old)), Value::List(new)) = (old, new) else {
        return new.clone();
    };
    let mut list = old.clone();
    for element in new {
        if !list.contains(element) {
            list.push(element.clone());
        }
    }
    Value::List(list)
}
