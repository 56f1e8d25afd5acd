//! Fuzz target: see [`fantail_fuzz::config_convert`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::config_convert(data));
