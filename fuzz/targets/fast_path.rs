//! Fuzz target: see [`fantail_fuzz::fast_path`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::fast_path(data));
