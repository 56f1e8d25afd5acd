//! Fuzz target: see [`fantail_fuzz::http_request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::http_request(data));
