//! Input and output of the commands.

pub(crate) mod capture;
pub(crate) mod configuration;
pub(crate) mod exports;
pub(crate) mod findings;
pub(crate) mod hostname;
pub(crate) mod interrupt;
pub(crate) mod output;
pub(crate) mod paint;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod terminal;
pub(crate) mod width;
