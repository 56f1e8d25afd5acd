//! Items for fantail's own crates.
//!
//! They are outside semantic versioning: any release may change or remove them.

#![doc(hidden)]

pub use crate::{
    allocation::allocated, event::positions::EventPositions, invariant::Invariant,
    model::name::same_name, text::numbers::leading_number,
};

pub mod decimal {
    //! Numbers of at most eight decimal digits as text.

    pub use crate::text::decimal::{EIGHT_DIGITS, eight, short};
}
