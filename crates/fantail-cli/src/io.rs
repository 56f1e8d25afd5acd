//! What commands read and write.

pub(crate) mod captures;
pub(crate) mod configuration;
pub(crate) mod exports;
pub(crate) mod hostname;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod table;
