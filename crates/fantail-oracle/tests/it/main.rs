//! fantail against the oracle.

mod many;
mod parsing;
mod recorded;
mod streams;
