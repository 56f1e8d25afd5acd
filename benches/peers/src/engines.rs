//! The engines, each with its filters and events.

use a_tree::AttributeDefinition;
use fantail_benches::rules::{Events, Rule, fields};
use fantail_event::{Event, EventView, Level, Source, Value, ValueRef};
use fantail_filter::{ClassId, Filter, FilterSet, Matcher, Slot, SlotView};
use wirefilter::{ExecutionContext, Scheme, Type};

/// Something that matches filters against events.
pub(crate) trait Engine {
    /// How many events it has.
    fn events(&self) -> usize;

    /// Matches every so manieth event: how many matches.
    fn walk(&mut self, stride: usize) -> usize;
}

fn filters(rules: &[Rule]) -> Vec<Filter> {
    let parse = |rule: &Rule| rule.filter().parse().expect("rules are filters");
    rules.iter().map(parse).collect()
}

/// Each filter for each event.
pub(crate) struct Naive<'a> {
    events: &'a Events<'a>,
    filters: Vec<Filter>,
}

impl<'a> Naive<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        let filters = filters(rules);
        Self { events, filters }
    }
}

impl Engine for Naive<'_> {
    fn events(&self) -> usize {
        self.events.events.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for event in self.events.events.iter().step_by(stride) {
            let sent = self.events.sent(event);
            matches += self.filters.iter().filter(|it| it.evaluate(&sent)).count();
        }
        matches
    }
}

/// A filter set, on events whose fields are looked up when they are needed.
pub(crate) struct Set<'a> {
    events: &'a Events<'a>,
    set: FilterSet,
    matcher: Matcher,
}

impl<'a> Set<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        Self {
            events,
            set: filters(rules).iter().collect(),
            matcher: Matcher::new(),
        }
    }
}

impl Engine for Set<'_> {
    fn events(&self) -> usize {
        self.events.events.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for event in self.events.events.iter().step_by(stride) {
            let sent = self.events.sent(event);
            matches += self.matcher.evaluate(&self.set, &sent).len();
        }
        matches
    }
}

/// A filter set, on events whose values lie in their slots already and whose
/// class is known, as a server has them.
pub(crate) struct SlotSet<'a> {
    set: FilterSet,
    matcher: Matcher,
    filled: Vec<(Filled<'a>, ClassId)>,
}

struct Filled<'a> {
    event: &'a Event<'a>,
    values: Vec<Option<ValueRef<'a>>>,
    events: &'a Events<'a>,
}

impl<'a> SlotSet<'a> {
    pub(crate) fn new(events: &'a Events<'a>, rules: &[Rule]) -> Self {
        let set: FilterSet = filters(rules).iter().collect();
        let mut matcher = Matcher::new();
        let fill = |event: &'a Event<'a>| {
            let value = |(_, key, _)| event.own_field(key).map(Value::as_ref);
            let filled = Filled {
                event,
                values: set.slots().iter().map(value).collect(),
                events,
            };
            let class = matcher.classify(&set, &filled);
            (filled, class)
        };
        let filled = events.events.iter().map(fill).collect();
        Self {
            set,
            matcher,
            filled,
        }
    }
}

impl SlotView for Filled<'_> {
    fn name(&self) -> Option<&[u8]> {
        self.event.name.as_deref()
    }

    fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        *self.values.get(slot.index())?
    }

    fn any_element(&self, _: Slot, _: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }

    fn in_category(&self, category: &[u8]) -> bool {
        self.events.sent(self.event).in_category(category)
    }

    fn level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    fn source(&self) -> Option<&Source<'_>> {
        self.event.source.as_ref()
    }
}

impl Engine for SlotSet<'_> {
    fn events(&self) -> usize {
        self.filled.len()
    }

    fn walk(&mut self, stride: usize) -> usize {
        let mut matches = 0;
        for (filled, class) in self.filled.iter().step_by(stride) {
            matches += self.matcher.evaluate_class(&self.set, *class, filled).len();
        }
        matches
    }
}

/// The categories that rules name; other engines get a boolean for each.
fn categories(rules: &[Rule]) -> Vec<&str> {
    let mut names: Vec<_> = rules
        .iter()
        .filter_map(|it| it.category.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// No reserved word anywhere.
fn field_key(key: &str) -> String {
    format!("field_{key}")
}

fn category_key(category: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!(
        "category_{}",
        category.chars().map(plain).collect::<String>()
    )
}

/// What an event has for other engines, which want all fields to be there.
struct Plain<'a> {
    name: &'a str,
    texts: Vec<(&'a str, &'a str)>,
    numbers: Vec<(&'a str, i64)>,
    categories: Vec<(String, bool)>,
}

impl<'a> Plain<'a> {
    fn new(events: &'a Events<'a>, event: &'a Event<'a>, rules: &'a [Rule]) -> Self {
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
        let mut plain = Self {
            name: text(event.name.as_deref().unwrap_or_default()),
            texts: Vec::new(),
            numbers: Vec::new(),
            categories: Vec::new(),
        };
        for (key, is_number) in fields(rules) {
            let value = event.own_field(key.as_bytes());
            match (is_number, value) {
                (true, Some(Value::Int(number))) => plain.numbers.push((key, *number)),
                (true, _) => plain.numbers.push((key, i64::from(i32::MIN))),
                (false, Some(Value::Str(value))) => plain.texts.push((key, text(value))),
                (false, _) => plain.texts.push((key, "")),
            }
        }
        let sent = events.sent(event);
        let has = |it: &str| (category_key(it), sent.in_category(it.as_bytes()));
        plain.categories = categories(rules).into_iter().map(has).collect();
        plain
    }
}

/// How an expression is written elsewhere.
struct Words {
    equal: &'static str,
    and: &'static str,
    or: &'static str,
    not: &'static str,
}

fn expression(rule: &Rule, words: &Words) -> String {
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

/// The fields, as wirefilter wants to know them.
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
