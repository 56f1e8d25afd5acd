//! The parts of an event that an exporter writes, and the format of times.

/// The format of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimeStyle {
    /// `2026-11-22T06:05:45.267241Z`
    #[default]
    Rfc3339,
    /// `1795328191.200093`
    Unix,
}

/// The parts of an event that are written (`exporter_include`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // five independent switches of the configuration
pub struct Parts {
    /// The event's name.
    pub name: bool,
    /// The name of the exporting host.
    pub hostname: bool,
    /// Start and end time.
    pub timestamps: bool,
    /// The categories.
    pub categories: bool,
    /// The fields.
    pub fields: bool,
}

impl Parts {
    /// Everything: Dovecot's default.
    pub const ALL: Self = Self {
        name: true,
        hostname: true,
        timestamps: true,
        categories: true,
        fields: true,
    };
    /// Nothing.
    pub const EMPTY: Self = Self {
        name: false,
        hostname: false,
        timestamps: false,
        categories: false,
        fields: false,
    };
    /// The words of `exporter_include`.
    pub const WORDS: [&'static str; 5] = ["name", "hostname", "timestamps", "categories", "fields"];

    /// Switches the part with this name on; returns `false` if no part has it.
    pub fn include(&mut self, word: &[u8]) -> bool {
        let part = match word {
            b"name" => &mut self.name,
            b"hostname" => &mut self.hostname,
            b"timestamps" => &mut self.timestamps,
            b"categories" => &mut self.categories,
            b"fields" => &mut self.fields,
            _ => return false,
        };
        *part = true;
        true
    }
}

impl Default for Parts {
    fn default() -> Self {
        Self::ALL
    }
}
