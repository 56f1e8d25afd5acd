//! Fuzz target: see [`fantail_fuzz::tap`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::tap(data));
