//! Fuzz target: see [`fantail_fuzz::reader_request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::reader_request(data));
