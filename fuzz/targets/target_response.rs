//! Fuzz target: see [`fantail_fuzz::target_response`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::target_response(data));
