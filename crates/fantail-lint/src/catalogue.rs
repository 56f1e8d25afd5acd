//! The events that Dovecot sends, with their fields, categories and reason
//! codes.
//!
//! The facts are a text that people can read and edit (`catalogue/events.tsv`,
//! which begins with an explanation of its format). It is compiled in and
//! parsed at the start of a program: parsing 900 lines without copying a name
//! costs less than opening a file. There is neither a generated table to review
//! nor a generator to maintain. A test parses it strictly, so that it is
//! released without errors.
//!
//! The catalogue does not contain events of plugins and of your own scripts.
//! The fields of an event are a lower bound, because an event inherits the
//! fields of its parents.

mod read;
pub(crate) mod series;

use fantail_config::{Release, Target};
use fantail_event::Dialect;

/// The known events of Dovecot.
#[derive(Debug, Clone)]
pub struct Catalogue {
    events: Vec<CatalogueEvent>,
    stray: Vec<Field>,
    categories: Vec<Category>,
    reasons: Vec<&'static str>,
}

/// An event.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_lint::{Catalogue, CatalogueEvent, Field, FieldType};
///
/// let catalogue = Catalogue::new();
/// let event: &CatalogueEvent = catalogue.event(b"imap_command_finished").unwrap();
/// let field: &Field = event.field(b"net_out_bytes", Dialect::V2_4).unwrap();
/// assert_eq!(field.key(Dialect::V2_3), "bytes_out");
/// assert_eq!(field.kind(Dialect::V2_4), FieldType::Integer);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEvent {
    /// The name.
    pub name: &'static str,
    /// The occasion on which it is sent, in a few words.
    pub description: &'static str,
    /// The documented category.
    pub category: Option<&'static str>,
    /// The first version with the event; `None` if it is older than the
    /// records.
    pub since: Option<Release>,
    /// The version that removed the event.
    pub until: Option<Release>,
    /// The known fields, including inherited ones; a lower bound.
    pub fields: Vec<Field>,
    /// Whether the event commonly takes 100 ms or more.
    pub slow: bool,
    /// Whether its fields are unknown.
    pub bare: bool,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in 2.4. `id_param_<param>` represents all names with this
    /// prefix.
    pub name: &'static str,
    /// The type in 2.4.
    pub kind: FieldType,
    /// The type in 2.3.
    pub kind_2_3: FieldType,
    /// `bytes` or `microseconds`, if it is one of these units.
    pub unit: Option<&'static str>,
    /// The first version with the field; `None` if it is as old as the event.
    pub since: Option<Release>,
    /// The version that removed the field.
    pub until: Option<Release>,
    /// The name in 2.3, if it is different.
    pub name_2_3: Option<&'static str>,
    /// The values that are sent, if the documentation differs.
    pub sent_as: Option<&'static str>,
    /// All values; empty if any value is possible.
    pub values: Vec<&'static str>,
    /// The series whose recordings have the field, if it is not documented.
    pub seen: Vec<&'static str>,
}

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldType {
    /// A number of 64 bits.
    Integer,
    /// Bytes.
    Text,
    /// An IP address; 2.3 sends it as text.
    Address,
    /// A point in time.
    Timestamp,
    /// A list of texts.
    List,
}

/// A category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    /// The name; `service:*` represents all names with this prefix.
    pub name: &'static str,
    /// The parent category.
    pub parent: Option<&'static str>,
}

impl Catalogue {
    /// Parses the catalogue that is compiled in.
    ///
    /// ```
    /// use fantail_lint::Catalogue;
    ///
    /// let catalogue = Catalogue::new();
    /// let event = catalogue.event(b"mail_delivery_finished").unwrap();
    /// assert_eq!(event.description, "a mail was delivered, or could not be");
    /// ```
    #[must_use]
    pub fn new() -> Self {
        read::read(read::TEXT)
    }

    /// Returns the events, by name.
    #[must_use]
    pub fn events(&self) -> &[CatalogueEvent] {
        &self.events
    }

    /// Returns the event with this name, of any version.
    #[must_use]
    pub fn event(&self, name: &[u8]) -> Option<&CatalogueEvent> {
        let found = self
            .events
            .binary_search_by(|event| event.name.as_bytes().cmp(name));
        self.events.get(found.ok()?)
    }

    /// Returns the fields whose events are not certain.
    #[must_use]
    pub fn stray_fields(&self) -> &[Field] {
        &self.stray
    }

    /// Returns the categories, without log levels.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// Returns the reason codes; `imap:cmd_*` represents all with this prefix.
    #[must_use]
    pub fn reason_codes(&self) -> &[&'static str] {
        &self.reasons
    }

    /// Returns whether this category exists.
    #[must_use]
    pub fn knows_category(&self, name: &[u8]) -> bool {
        self.categories
            .iter()
            .any(|category| stands_for(category.name, name))
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

impl CatalogueEvent {
    /// Returns whether a release, or a release of a series, sends the event.
    #[must_use]
    pub fn is_in(&self, dovecot: impl Into<Target>) -> bool {
        dovecot.into().has(self.since, self.until)
    }

    /// Returns the field with this key.
    #[must_use]
    pub fn field(&self, key: &[u8], dovecot: impl Into<Target>) -> Option<&Field> {
        let target: Target = dovecot.into();
        self.fields
            .iter()
            .find(|field| stands_for(field.key(target.dialect()), key) && field.is_in(target))
    }
}

impl Field {
    /// Returns whether a release, or a release of a series, sends the field.
    #[must_use]
    pub fn is_in(&self, dovecot: impl Into<Target>) -> bool {
        let target: Target = dovecot.into();
        let series = match target.dialect() {
            Dialect::V2_3 => "2.3",
            Dialect::V2_4 => "2.4",
        };
        (self.seen.is_empty() || self.seen.contains(&series)) && target.has(self.since, self.until)
    }

    /// Returns the name in a series.
    #[must_use]
    pub fn key(&self, dialect: Dialect) -> &'static str {
        let own = match dialect {
            Dialect::V2_3 => self.name_2_3,
            Dialect::V2_4 => None,
        };
        own.or(self.sent_as).unwrap_or(self.name)
    }

    /// Returns the type in a series.
    #[must_use]
    pub fn kind(&self, dialect: Dialect) -> FieldType {
        match dialect {
            Dialect::V2_3 => self.kind_2_3,
            Dialect::V2_4 => self.kind,
        }
    }
}

impl FieldType {
    /// Returns `integer`, `text`, `address`, `timestamp` or `list`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Text => "text",
            Self::Address => "address",
            Self::Timestamp => "timestamp",
            Self::List => "list",
        }
    }
}

/// Returns whether a name of the catalogue, perhaps with an open end, matches
/// this one.
pub(crate) fn stands_for(name: &str, written: &[u8]) -> bool {
    // Most names differ in their first byte.
    let first = name.as_bytes().first();
    if first != written.first() && !matches!(first, Some(b'*' | b'<')) {
        return false;
    }
    match name.split_once(['*', '<']) {
        Some((start, _)) => written.len() > start.len() && written.starts_with(start.as_bytes()),
        None => name.as_bytes() == written,
    }
}
