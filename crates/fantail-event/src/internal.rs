//! What only fantail's own crates use.
//!
//! It is outside semantic versioning: any of it may change or go in any
//! release.

#![doc(hidden)]

pub use crate::{
    allocation::allocated, event::positions::EventPositions, invariant::Invariant,
    model::name::same_name, text::numbers::leading_number,
};

pub mod decimal {
    //! Numbers of at most eight decimal digits as text.

    pub use crate::text::decimal::{EIGHT_DIGITS, eight, short};
}
