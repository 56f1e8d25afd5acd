//! Fuzz target: see [`fantail_fuzz::wire_decode`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::wire_decode(data));
