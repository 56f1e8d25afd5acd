//! Evaluates a comparison against an event.

use core::cmp::Ordering;

use fantail_event::{Elements, EventView, Source, ValueRef};
use fantail_syntax::Operator;

use super::{
    CompiledComparison, FieldTest, NumberTest, SourceTest, Test,
    number::{self, ShortText},
};

impl CompiledComparison {
    /// Returns whether the comparison holds for this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.test().holds(event)
    }
}

impl Test {
    /// Returns whether the comparison holds for this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        match self {
            Self::Name(pattern) => event.name().is_some_and(|name| pattern.matches(name)),
            Self::Level(level) => event.level() == Some(*level),
            Self::Category(category) => event.in_category(category),
            Self::Source(test) => event.source().is_some_and(|source| test.holds(&source)),
            Self::Field(test) => test.holds(event),
            Self::Duration(test) => match event.duration_micros() {
                Some(micros) => test.number_holds(micros),
                None => test.holds(event),
            },
        }
    }
}

impl SourceTest {
    /// Returns whether the comparison holds for this source location.
    #[must_use]
    pub fn holds(&self, source: &Source<'_>) -> bool {
        match self {
            Self::Place { file, line } => {
                **file == *source.file && (*line == 0 || *line == source.line)
            }
            Self::Text(text) => match text.strip_prefix(source.file) {
                Some([]) => !text.contains(&b':'),
                Some([b':', line @ ..]) => {
                    *line == *ShortText::of_number(source.line.into()).as_bytes()
                }
                Some(_) | None => false,
            },
        }
    }
}

impl FieldTest {
    /// Returns whether the comparison holds for the field of this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.holds_for(event.field(&self.key))
    }

    /// Returns whether the comparison holds for the value of a field, if it exists.
    pub(crate) fn holds_for(&self, value: Option<ValueRef<'_>>) -> bool {
        match value {
            None => self.text.is_empty(),
            Some(value) => self.value_holds(value),
        }
    }

    /// Returns whether the comparison holds for this value. A time never matches, as
    /// in Dovecot.
    #[must_use]
    pub fn value_holds(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Str(text) => self.is_equality() && self.string_holds(text),
            ValueRef::Int(number) => self.number_holds(number),
            ValueRef::Unsigned(_) | ValueRef::Float(_) | ValueRef::Bool(_) => {
                self.other_holds(value)
            }
            ValueRef::Ip(ip) => {
                self.is_equality()
                    && match self.network {
                        Some(network) => network.contains(ip.address()),
                        None => {
                            self.text.wild().is_some()
                                && self.text.matches(ShortText::of_ip(ip.address()).as_bytes())
                        }
                    }
            }
            ValueRef::List(list) => self.is_equality() && self.list_holds(list),
            ValueRef::Time(_) => false,
        }
    }

    /// Compares values that no event of Dovecot has: numbers by their order, else the
    /// text of the value.
    #[cold]
    fn other_holds(&self, value: ValueRef<'_>) -> bool {
        let (order, text) = match (value, self.number) {
            (ValueRef::Unsigned(_), NumberTest::Compare(_)) => (Some(Ordering::Greater), None),
            (ValueRef::Unsigned(number), NumberTest::Digits) => {
                (None, Some(ShortText::of_unsigned(number)))
            }
            (ValueRef::Float(number), NumberTest::Compare(with)) => {
                (number::compare_float(number, with), None)
            }
            (ValueRef::Float(number), _) => (None, Some(ShortText::of_float(number))),
            (ValueRef::Bool(truth), _) => (None, Some(ShortText::of_bool(truth))),
            _ => (None, None),
        };
        let text_holds = |text: ShortText| self.is_equality() && self.text.matches(text.as_bytes());
        order.is_some_and(|order| self.operator.holds(&order, &Ordering::Equal))
            || text.is_some_and(text_holds)
    }

    fn is_equality(&self) -> bool {
        self.operator == Operator::Equal
    }

    /// An empty string stands for a removed field: no wildcard fits it.
    fn string_holds(&self, text: &[u8]) -> bool {
        if text.is_empty() {
            return self.text.is_empty();
        }
        self.text.matches(text)
    }

    /// Elements, unlike fields, can be empty strings.
    fn list_holds(&self, list: Elements<'_>) -> bool {
        let pattern = self.element.as_ref().unwrap_or(&self.text);
        list.any(|element| pattern.matches(element)) || self.text.is_empty() && list.is_empty()
    }

    fn number_holds(&self, number: i64) -> bool {
        match self.number {
            NumberTest::Compare(with) => self.operator.holds(&number, &with),
            NumberTest::Digits => self.text.matches(ShortText::of_number(number).as_bytes()),
            NumberTest::Never => false,
        }
    }
}
