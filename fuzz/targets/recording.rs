//! Fuzz target: see [`fantail_fuzz::recording`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::recording(data));
