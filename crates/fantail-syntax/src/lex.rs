//! Text to tokens of the grammar.

#[allow(
    clippy::all,
    clippy::pedantic,
    unused,
    unused_qualifications,
    reason = "generated code"
)]
#[rustfmt::skip]
mod lexeme;
pub(crate) mod slip;
pub(crate) mod token;
