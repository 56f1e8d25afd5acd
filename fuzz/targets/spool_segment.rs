//! Fuzz target: see [`fantail_fuzz::spool_segment`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::spool_segment(data));
