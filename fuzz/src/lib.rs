//! Properties that hold for any input: one function for each fuzz target.
//!
//! A function gets bytes from a fuzzer, and panics if its property does not
//! hold. The programs in `targets/` pass it to libFuzzer; the tests of
//! `fantail-testkit` run it on the files of `testdata/fuzz/<target>/`. No
//! function reads clocks or random numbers, or files other than those of a
//! spool that it creates: the same bytes always give the same result.

mod by_key;
mod config_convert;
mod config_parse;
mod event_path;
mod filter_parse;
mod filter_set;
mod fleet_answer;
mod http_request;
mod include_glob;
mod reader_request;
mod recording;
mod server;
mod side_by_side;
mod spool_segment;
mod state_file;
mod tap;
mod target_response;
mod test_file;
mod wire_decode;

pub use crate::{
    by_key::ByKey, config_convert::config_convert, config_parse::config_parse,
    event_path::event_path, filter_parse::filter_parse, filter_set::filter_set,
    fleet_answer::fleet_answer, http_request::http_request, include_glob::include_glob,
    reader_request::reader_request, recording::recording, server::oracle_event,
    side_by_side::SideBySide, spool_segment::spool_segment, state_file::state_file, tap::tap,
    target_response::target_response, test_file::test_file, wire_decode::wire_decode,
};

/// A property: returns if it holds for these bytes, otherwise panics.
pub type Property = fn(&[u8]);

/// The properties by the names of their targets.
pub const TARGETS: &[(&str, Property)] = &[
    ("config_convert", config_convert),
    ("config_parse", config_parse),
    ("event_path", event_path),
    ("filter_parse", filter_parse),
    ("filter_set", filter_set),
    ("fleet_answer", fleet_answer),
    ("http_request", http_request),
    ("include_glob", include_glob),
    ("reader_request", reader_request),
    ("recording", recording),
    ("spool_segment", spool_segment),
    ("state_file", state_file),
    ("tap", tap),
    ("target_response", target_response),
    ("test_file", test_file),
    ("wire_decode", wire_decode),
];
