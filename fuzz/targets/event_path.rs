//! Fuzz target: see [`fantail_fuzz::event_path`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::event_path(data));
