//! The names, categories, levels and fields that filters mention.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use fantail_event::Level;

use crate::{Filter, Pattern, Test};

/// The names, categories, levels and fields that filters mention.
///
/// No other part of an event changes the result of these filters: a producer need
/// not send it, a parser need not keep it. Holds the mentions of one filter or of
/// many; each is there once.
///
/// ```
/// use fantail_filter::{Filter, Mentions};
///
/// let filter: Filter = "event=imap_* AND (user=x OR duration>5s)".parse()?;
/// let mentions = Mentions::of(&filter);
/// assert_eq!(mentions.fields().collect::<Vec<_>>(), [b"user"]);
/// assert_eq!(mentions.names().len(), 1);
/// assert!(mentions.names()[0].matches(b"imap_command_finished"));
/// assert!(mentions.duration() && !mentions.source());
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    names: Vec<Pattern>,
    levels: BTreeSet<Level>,
    categories: BTreeSet<Box<[u8]>>,
    fields: BTreeSet<Box<[u8]>>,
    source: bool,
    duration: bool,
    unnamed: bool,
}

impl Mentions {
    /// Creates an empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the mentions of one filter.
    #[must_use]
    pub fn of(filter: &Filter) -> Self {
        let mut mentions = Self::new();
        mentions.add(filter);
        mentions
    }

    /// Adds the mentions of a filter.
    pub fn add(&mut self, filter: &Filter) {
        self.unnamed |= !filter.requires_name();
        for comparison in filter.comparisons() {
            match comparison.test() {
                Test::Name(pattern) => {
                    if !self.names.contains(pattern) {
                        self.names.push(pattern.clone());
                    }
                }
                Test::Level(level) => _ = self.levels.insert(*level),
                Test::Category(category) => _ = self.categories.insert(category.clone()),
                Test::Source(_) => self.source = true,
                Test::Field(field) => _ = self.fields.insert(field.key.clone()),
                Test::Duration(_) => self.duration = true,
            }
        }
    }

    /// Returns the names that filters compare with, negated ones included, in the
    /// order in which they were added.
    #[must_use]
    pub fn names(&self) -> &[Pattern] {
        &self.names
    }

    /// Returns the levels, ascending.
    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.levels.iter().copied()
    }

    /// Returns the categories, in the order of their names.
    pub fn categories(&self) -> impl Iterator<Item = &[u8]> {
        self.categories.iter().map(|category| &**category)
    }

    /// Returns the keys of fields, in order, without 2.4's
    /// [`duration`](Self::duration).
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().map(|key| &**key)
    }

    /// Returns whether 2.4's `duration` is mentioned: the field of that name for
    /// events of a type without times.
    #[must_use]
    pub fn duration(&self) -> bool {
        self.duration
    }

    /// Returns whether `source_location` is mentioned.
    #[must_use]
    pub fn source(&self) -> bool {
        self.source
    }

    /// Returns whether unnamed events matter: some filter does not
    /// [require a name](Filter::requires_name).
    #[must_use]
    pub fn unnamed(&self) -> bool {
        self.unnamed
    }
}

impl<'a> Extend<&'a Filter> for Mentions {
    fn extend<I: IntoIterator<Item = &'a Filter>>(&mut self, filters: I) {
        for filter in filters {
            self.add(filter);
        }
    }
}

impl<'a> FromIterator<&'a Filter> for Mentions {
    fn from_iter<I: IntoIterator<Item = &'a Filter>>(filters: I) -> Self {
        let mut mentions = Self::new();
        mentions.extend(filters);
        mentions
    }
}
