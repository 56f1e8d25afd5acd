//! An event with all that it inherits, as one event: what is exported.

use alloc::{borrow::Cow, collections::BTreeMap, vec::Vec};

use crate::{Bytes, Event, Field, SentEvent, Value};

/// Up to so many fields, looking through them is the fastest way.
const FEW: usize = 128;

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
        for event in self.downward() {
            for category in &event.categories {
                self.gather_category(category, &mut flat.categories);
            }
        }
        if self
            .chain()
            .map(|event| event.fields().len())
            .sum::<usize>()
            > FEW
        {
            self.gather_many_fields(&mut flat);
            return flat;
        }
        for event in self.downward() {
            for field in event.fields() {
                let joined = join(flat.own_field(&field.key), &field.value);
                flat.set(field.key.clone(), joined);
            }
        }
        flat
    }

    /// As for few fields, with an index: looking through very many for each
    /// of them would be a way to keep us busy.
    fn gather_many_fields(&self, flat: &mut Event<'a>) {
        let mut places: BTreeMap<&[u8], usize> = BTreeMap::new();
        let mut fields: Vec<Field<'a>> = Vec::new();
        for field in self.downward().flat_map(Event::fields) {
            match places.get(&*field.key).and_then(|&at| fields.get_mut(at)) {
                Some(known) => known.value = join(Some(&known.value), &field.value),
                None => {
                    places.insert(&field.key, fields.len());
                    fields.push(field.clone());
                }
            }
        }
        flat.replace_fields(fields);
    }

    /// The global event's chain from its root down, then the event's own.
    fn downward(&self) -> impl Iterator<Item = &'a Event<'a>> + use<'a> {
        let inherited = self.global.iter().rev().chain(self.parents.iter().rev());
        inherited.copied().chain(core::iter::once(self.event))
    }

    fn gather_category(&self, category: &'a Bytes<'a>, into: &mut Vec<Bytes<'a>>) {
        for name in self.categories.with_ancestors(category) {
            if !into.iter().any(|known| **known == *name) {
                into.push(Cow::Borrowed(name));
            }
        }
    }
}

pub(crate) fn join<'a>(old: Option<&Value<'a>>, new: &Value<'a>) -> Value<'a> {
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
