//! The daemon as a library: what takes the place of Dovecot's stats process.
//!
//! [`Exporters`] are the queues and targets that a configuration asks for.

mod exporters;

pub use crate::exporters::{Exporters, ExportersError};
