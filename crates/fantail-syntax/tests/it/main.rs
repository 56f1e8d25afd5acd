//! The filter language by itself: errors, values, printing, limits.

mod errors;
mod limits;
mod printing;
mod properties;
mod values;
