//! A comparison against an event.

use fantail_event::{EventView, Source, ValueRef};
use fantail_syntax::Operator;

use crate::{Comparison, FieldTest, NumberTest, SourceTest, Test, number::ShortText};

impl Comparison {
    /// Whether it holds for this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.test().holds(event)
    }
}

impl Test {
    /// Whether it holds for this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        match self {
            Self::Name(pattern) => event.name().is_some_and(|name| pattern.matches(name)),
            Self::Level(level) => event.level() == Some(*level),
            Self::Category(category) => event.in_category(category),
            Self::Source(test) => event.source().is_some_and(|source| test.holds(source)),
            Self::Field(test) => test.holds(event),
            Self::Duration(test) => match event.duration_micros() {
                Some(micros) => test.number_holds(micros),
                None => test.holds(event),
            },
        }
    }
}

impl SourceTest {
    /// Whether it holds for this place.
    #[must_use]
    pub fn holds(&self, source: &Source<'_>) -> bool {
        match self {
            Self::Place { file, line } => {
                **file == *source.file && (*line == 0 || *line == source.line)
            }
            Self::Text(text) => match text.strip_prefix(&*source.file) {
                Some([]) => !text.contains(&b':'),
                Some([b':', line @ ..]) => {
                    *line == *ShortText::of_number(source.line.into()).as_bytes()
                }
                None | Some(_) => false,
            },
        }
    }
}

impl FieldTest {
    /// Whether it holds for the field of this event.
    #[must_use]
    pub fn holds<E: EventView + ?Sized>(&self, event: &E) -> bool {
        self.holds_for(event.field(&self.key), |test| {
            event.any_element(&self.key, test)
        })
    }

    /// Whether it holds for a field that was looked up already; `any_element`
    /// is that of the event, with this key.
    pub(crate) fn holds_for(
        &self,
        value: Option<ValueRef<'_>>,
        any_element: impl Fn(&mut dyn FnMut(&[u8]) -> bool) -> bool,
    ) -> bool {
        match value {
            None => self.text.is_empty(),
            Some(ValueRef::List) => self.is_equality() && self.list_holds(any_element),
            Some(value) => self.value_holds(value),
        }
    }

    /// Whether it holds for this value. A list's elements are asked by
    /// [`holds`](Self::holds) only: here a list never matches.
    #[must_use]
    pub fn value_holds(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Str(text) => self.is_equality() && self.string_holds(text),
            ValueRef::Int(number) => self.number_holds(number),
            ValueRef::Ip(ip) => {
                self.is_equality()
                    && match self.network {
                        Some(network) => network.contains(ip),
                        None => {
                            self.text.wild().is_some()
                                && self.text.matches(ShortText::of_ip(ip).as_bytes())
                        }
                    }
            }
            ValueRef::Time(_) | ValueRef::List => false,
        }
    }

    fn is_equality(&self) -> bool {
        self.operator == Operator::Equal
    }

    /// A field set to the empty string was removed: no wildcard fits it.
    fn string_holds(&self, text: &[u8]) -> bool {
        if text.is_empty() {
            return self.text.is_empty();
        }
        self.text.matches(text)
    }

    /// Elements, unlike fields, can be empty strings.
    fn list_holds(&self, any_element: impl Fn(&mut dyn FnMut(&[u8]) -> bool) -> bool) -> bool {
        let pattern = self.element.as_ref().unwrap_or(&self.text);
        if any_element(&mut |element| pattern.matches(element)) {
            return true;
        }
        self.text.is_empty() && !any_element(&mut |_| true)
    }

    fn number_holds(&self, number: i64) -> bool {
        match self.number {
            NumberTest::Compare(with) => self.operator.holds(number, with),
            NumberTest::Digits => self.text.matches(ShortText::of_number(number).as_bytes()),
            NumberTest::Never => false,
        }
    }
}
