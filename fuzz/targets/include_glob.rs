//! Fuzz target: see [`fantail_fuzz::include_glob`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::include_glob(data));
