//! A Dovecot series as an argument.

use clap::ValueEnum;
use fantail::event;

/// A Dovecot series as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Dialect {
    /// The rules of Dovecot 2.3.
    #[value(name = "2.3")]
    V2_3,
    /// The rules of Dovecot 2.4.
    #[value(name = "2.4")]
    V2_4,
}

impl From<Dialect> for event::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V2_3 => Self::V2_3,
            Dialect::V2_4 => Self::V2_4,
        }
    }
}
