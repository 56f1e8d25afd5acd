//! What Dovecot sends: events, fields, categories, reason codes.
//!
//! The facts are a text that a person can read and mend
//! (`catalogue/events.tsv`, with its own explanation at the top). It is
//! compiled in and read at the start of a program: 900 lines without copying a
//! name cost less than opening a file, and there is neither a generated table
//! to review nor a generator to keep. A test reads it strictly, so a slip in
//! it cannot be released.
//!
//! What it does not know: events of plugins and scripts of one's own. And the
//! fields of an event are a lower bound, because it inherits those of whatever
//! it happened in.

mod read;
pub(crate) mod series;

use fantail_config::{Release, Target};
use fantail_event::Dialect;

/// All that is known of Dovecot's events.
#[derive(Debug, Clone)]
pub struct Catalogue {
    events: Vec<CatalogueEvent>,
    stray: Vec<Field>,
    categories: Vec<Category>,
    reasons: Vec<&'static str>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEvent {
    /// Its name.
    pub name: &'static str,
    /// When it is sent, in a few words.
    pub description: &'static str,
    /// The category that it is documented under.
    pub category: Option<&'static str>,
    /// The version that brought it; `None` if it is older than the records.
    pub since: Option<Release>,
    /// The version that dropped it.
    pub until: Option<Release>,
    /// The fields that it is known to carry, inherited ones included; a lower
    /// bound.
    pub fields: Vec<Field>,
    /// Whether it commonly takes 100 ms or more.
    pub slow: bool,
    /// Whether nothing is known of its fields.
    pub bare: bool,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in 2.4. `id_param_<param>` stands for all names that begin so.
    pub name: &'static str,
    /// Its type in 2.4.
    pub kind: FieldType,
    /// Its type in 2.3.
    pub kind_2_3: FieldType,
    /// `bytes` or `microseconds`, if it is one of these.
    pub unit: Option<&'static str>,
    /// The version that brought it; `None` if it is as old as the event.
    pub since: Option<Release>,
    /// The version that dropped it.
    pub until: Option<Release>,
    /// What 2.3 calls it, if that is something else.
    pub name_2_3: Option<&'static str>,
    /// What is really sent, where the documentation says otherwise.
    pub sent_as: Option<&'static str>,
    /// All values that there are; empty if there can be any.
    pub values: Vec<&'static str>,
    /// The series in whose recordings it was seen, if nothing documents it.
    pub seen: Vec<&'static str>,
}

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldType {
    /// A number of 64 bits.
    Integer,
    /// Bytes.
    Text,
    /// An address; 2.3 sends these as text.
    Address,
    /// A point in time.
    Timestamp,
    /// A list of texts.
    List,
}

/// A category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    /// Its name; `service:*` stands for all names that begin so.
    pub name: &'static str,
    /// The category that it is part of.
    pub parent: Option<&'static str>,
}

impl Catalogue {
    /// Reads the catalogue that is compiled in.
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

    /// The events, by name.
    #[must_use]
    pub fn events(&self) -> &[CatalogueEvent] {
        &self.events
    }

    /// Returns the event of this name, of any version.
    #[must_use]
    pub fn event(&self, name: &[u8]) -> Option<&CatalogueEvent> {
        let found = self
            .events
            .binary_search_by(|event| event.name.as_bytes().cmp(name));
        self.events.get(found.ok()?)
    }

    /// Fields whose events are not known for certain.
    #[must_use]
    pub fn stray_fields(&self) -> &[Field] {
        &self.stray
    }

    /// The categories; log levels are not among them.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The reason codes; `imap:cmd_*` stands for all that begin so.
    #[must_use]
    pub fn reason_codes(&self) -> &[&'static str] {
        &self.reasons
    }

    /// Whether there is such a category.
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
    /// Returns whether a release, or some release of a series, sends it.
    #[must_use]
    pub fn is_in(&self, dovecot: impl Into<Target>) -> bool {
        dovecot.into().has(self.since, self.until)
    }

    /// Returns the field that the event carries under this key.
    #[must_use]
    pub fn field(&self, key: &[u8], dovecot: impl Into<Target>) -> Option<&Field> {
        let target: Target = dovecot.into();
        self.fields
            .iter()
            .find(|field| field.is_in(target) && stands_for(field.key(target.dialect()), key))
    }
}

impl Field {
    /// Returns whether a release, or some release of a series, sends it.
    #[must_use]
    pub fn is_in(&self, dovecot: impl Into<Target>) -> bool {
        let target: Target = dovecot.into();
        let series = match target.dialect() {
            Dialect::V2_3 => "2.3",
            Dialect::V2_4 => "2.4",
        };
        (self.seen.is_empty() || self.seen.contains(&series)) && target.has(self.since, self.until)
    }

    /// What it is called in a series.
    #[must_use]
    pub fn key(&self, dialect: Dialect) -> &'static str {
        let own = match dialect {
            Dialect::V2_3 => self.name_2_3,
            Dialect::V2_4 => None,
        };
        own.or(self.sent_as).unwrap_or(self.name)
    }

    /// Its type in a series.
    #[must_use]
    pub fn kind(&self, dialect: Dialect) -> FieldType {
        match dialect {
            Dialect::V2_3 => self.kind_2_3,
            Dialect::V2_4 => self.kind,
        }
    }
}

impl FieldType {
    /// `integer`, `text`, `address`, `timestamp` or `list`.
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

/// Whether a name of the catalogue, perhaps with an open end, is this one.
pub(crate) fn stands_for(name: &str, written: &[u8]) -> bool {
    match name.split_once(['*', '<']) {
        Some((start, _)) => written.len() > start.len() && written.starts_with(start.as_bytes()),
        None => name.as_bytes() == written,
    }
}
