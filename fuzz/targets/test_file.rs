//! Fuzz target: see [`fantail_fuzz::test_file`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::test_file(data));
