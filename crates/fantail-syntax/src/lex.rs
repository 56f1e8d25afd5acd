//! Text to tokens of the grammar.

mod lexeme;
pub(crate) mod slip;
pub(crate) mod token;
