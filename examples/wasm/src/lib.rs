//! Filters in WebAssembly: a page passes a filter and JSON, and asks whether they match.
//!
//! `cargo build -p fantail-example-wasm --target wasm32-unknown-unknown`
//!
//! JavaScript passes texts byte by byte, so that nothing here reads foreign memory:
//!
//! ```js
//! const { instance } = await WebAssembly.instantiateStreaming(fetch("wasm.wasm"));
//! const { begin, push, set_filter, matches } = instance.exports;
//! const pass = text => { begin(); new TextEncoder().encode(text).forEach(byte => push(byte)); };
//! pass("status>=500 AND NOT path=\"/health\"");
//! set_filter(); // 1: a filter, 0: not
//! pass('{"status": 503, "path": "/"}');
//! matches(); // 1: it matches, 0: it does not, -1: no JSON object, or no filter
//! ```

use std::cell::RefCell;

use fantail::filter::{Filter, JsonEvent};
use serde_json::Value;

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FILTER: RefCell<Option<Filter>> = const { RefCell::new(None) };
}

/// Begins with an empty text.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "the host finds the function by its name")]
pub extern "C" fn begin() {
    TEXT.with_borrow_mut(Vec::clear);
}

/// Adds a byte to the text.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "the host finds the function by its name")]
pub extern "C" fn push(byte: u8) {
    TEXT.with_borrow_mut(|text| text.push(byte));
}

/// Takes the text as the filter; returns 0 if it is none.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "the host finds the function by its name")]
pub extern "C" fn set_filter() -> i32 {
    let text = TEXT.with_borrow(|text| String::from_utf8_lossy(text).into_owned());
    let filter = text.parse::<Filter>().ok();
    FILTER.with_borrow_mut(|current| *current = filter);
    FILTER.with_borrow(|current| i32::from(current.is_some()))
}

/// Returns 1 if the filter matches the text, a JSON object, and 0 if it does not; −1
/// without a filter or an object.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "the host finds the function by its name")]
pub extern "C" fn matches() -> i32 {
    let json = TEXT.with_borrow(|text| serde_json::from_slice::<Value>(text));
    let result = FILTER.with_borrow(|filter| {
        let event = JsonEvent::new(json.as_ref().ok()?.as_object()?);
        Some(filter.as_ref()?.matches(&event))
    });
    result.map_or(-1, i32::from)
}

#[cfg(test)]
mod tests {
    use super::{begin, matches, push, set_filter};

    fn pass(text: &str) {
        begin();
        text.bytes().for_each(|byte| push(byte));
    }

    #[test]
    fn a_host_passes_texts_byte_by_byte() {
        pass("status>=500 AND NOT path=\"/health\"");
        assert_eq!(set_filter(), 1);
        for (json, expected) in [
            (r#"{"status": 503, "path": "/ü"}"#, 1),
            (r#"{"status": 503, "path": "/health"}"#, 0),
            ("[503]", -1),
            ("{", -1),
        ] {
            pass(json);
            assert_eq!(matches(), expected, "{json}");
        }
        pass("status>=");
        assert_eq!(set_filter(), 0);
        pass("{}");
        assert_eq!(matches(), -1);
    }
}
