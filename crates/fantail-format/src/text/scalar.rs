//! Values whose text is the same in all formats except JSON.

use std::io::Write as _;

use fantail_event::ValueRef;

use crate::text::decimal::{write_int, write_u64};

/// Appends the text of a number, a truth value or an address; nothing for other
/// values.
pub(crate) fn write_scalar(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Int(number) => write_int(number, out),
        ValueRef::Unsigned(number) => write_u64(number, out),
        ValueRef::Float(number) => {
            // Writing into a vector cannot fail.
            let _ = write!(out, "{number:?}");
        }
        ValueRef::Bool(true) => out.extend_from_slice(b"yes"),
        ValueRef::Bool(false) => out.extend_from_slice(b"no"),
        ValueRef::Ip(ip) => ip.write_into(out),
        ValueRef::Str(_) | ValueRef::Time(_) | ValueRef::List(_) => {
            debug_assert!(false, "not a scalar: {value:?}");
        }
    }
}
