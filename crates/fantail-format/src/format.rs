//! The table of formats.
//!
//! A format is a file with a [`Row`] and a line in the table below; whoever
//! reads configurations, and whoever sends what was written, asks the row.

use crate::formatter::{Export, Style};

/// What is to be known of a format.
pub(crate) struct Row {
    /// Its name in a configuration.
    pub(crate) name: &'static str,
    /// The media type of one event in it.
    pub(crate) content_type: &'static str,
    /// Whether a configuration has to say how times are written.
    pub(crate) has_times: bool,
    /// Appends an event, without an end of line.
    pub(crate) write: fn(&Export<'_>, Style, &mut Vec<u8>),
}

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $name:ident = $module:ident;)+) => {
        /// How an exported event is written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Format {
            /// All formats with their names in a configuration.
            pub const NAMES: &'static [(&'static str, Self)] =
                &[$((crate::formats::$module::FORMAT.name, Self::$name),)+];

            pub(crate) const fn row(self) -> &'static Row {
                match self { $(Self::$name => &crate::formats::$module::FORMAT,)+ }
            }
        }
    };
}

formats! {
    /// One JSON object, fields in an object of their own, as Dovecot writes it.
    Json = json;
    /// Nothing: an empty payload.
    None = none;
    /// `key:value` arguments, TABs between them, as Dovecot writes them.
    TabText = tab_text;
    /// One flat JSON object, fields at the top level, never a line break in
    /// it: for Loki, Vector, ClickHouse.
    Ndjson = ndjson;
    /// `key=value` pairs, spaces between them.
    Logfmt = logfmt;
    /// An entry in the native protocol of the systemd journal.
    Journal = journal;
    /// Structured data of syslog (RFC 5424), and a message.
    StructuredData = structured;
}

impl Format {
    /// The format with this name in a configuration.
    ///
    /// ```
    /// use fantail_format::Format;
    ///
    /// assert_eq!(Format::from_name(b"tab-text"), Some(Format::TabText));
    /// assert_eq!(Format::from_name(b"xml"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, format)| *format)
    }

    /// Its name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The media type of one event; for json, tab-text and none that of
    /// Dovecot's requests.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        self.row().content_type
    }

    /// Whether a 2.3 configuration has to say how times are written.
    #[must_use]
    pub const fn has_times(self) -> bool {
        self.row().has_times
    }

    /// Whether Dovecot has it too.
    #[must_use]
    pub const fn is_dovecots(self) -> bool {
        matches!(self, Self::Json | Self::None | Self::TabText)
    }
}
