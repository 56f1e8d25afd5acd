//! The program as its users run it.

mod bad_input;
mod filter;
mod golden;
mod program;
mod vectors;
