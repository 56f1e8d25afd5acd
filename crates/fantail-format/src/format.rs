//! The table of formats.
//!
//! A format is a module below `formats` with a [`FormatRow`], and a line in the
//! table below. The row answers what a reader of configurations and a transport
//! ask of a format.

use fantail_event::ParseValueError;

use crate::export::FormatRow;

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $name:ident = $module:ident;)+) => {
        /// The format of exported events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Format {
            /// All formats with their names in a configuration.
            pub const NAMES: &'static [(&'static str, Self)] =
                &[$((crate::formats::$module::FORMAT.name, Self::$name),)+];

            pub(crate) const fn row(self) -> &'static FormatRow {
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
    /// `key:value` arguments separated by TABs, as Dovecot writes them.
    TabText = tab_text;
    /// One flat JSON object on one line, fields at the top level: for Loki,
    /// Vector, ClickHouse.
    Ndjson = ndjson;
    /// `key=value` pairs separated by spaces.
    Logfmt = logfmt;
    /// An entry in the native protocol of the systemd journal.
    Journal = journal;
    /// Structured data of syslog (RFC 5424) and a message.
    StructuredData = structured;
    /// A log record of OpenTelemetry in JSON.
    Otlp = otlp;
}

impl Format {
    /// Returns the format with this name in a configuration.
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

    /// Returns its name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the media type of one event; for `json`, `tab-text` and `none` the
    /// one of Dovecot's HTTP requests.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        self.row().content_type
    }

    /// Returns whether a 2.3 configuration must set how times are written.
    #[must_use]
    pub const fn has_times(self) -> bool {
        self.row().has_times
    }

    /// Returns whether Dovecot has this format.
    #[must_use]
    pub const fn is_dovecots(self) -> bool {
        matches!(self, Self::Json | Self::None | Self::TabText)
    }
}

impl std::str::FromStr for Format {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let expected = "the name of a format, such as `json`";
        Self::from_name(text.as_bytes()).ok_or(ParseValueError::new(expected))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
