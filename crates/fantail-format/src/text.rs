//! Values as text: what several formats share.

mod bytes16;
pub(crate) mod decimal;
pub(crate) mod flat_key;
pub(crate) mod json_text;
pub(crate) mod plain;
pub(crate) mod scalar;
pub(crate) mod time_text;
