//! Fuzz target: see [`fantail_fuzz::state_file`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::state_file(data));
