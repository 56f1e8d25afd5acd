//! The generated parser; nothing of it is public.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    unused,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications,
    reason = "generated code"
)]

include!(concat!(env!("OUT_DIR"), "/parse/grammar.rs"));
