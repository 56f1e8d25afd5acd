//! Events as bytes: what an exporter sends.

mod settings;

pub use crate::settings::{Format, Parts, TimeStyle};
