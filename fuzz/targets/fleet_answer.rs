//! Fuzz target: see [`fantail_fuzz::fleet_answer`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fantail_fuzz::fleet_answer(data));
