//! Fuzz target: see [`fantail_fuzz::filter_set`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::filter_set(data));
