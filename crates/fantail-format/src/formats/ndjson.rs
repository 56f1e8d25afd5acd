//! `ndjson`: one flat object, the fields beside the event's own properties
//! (see [`flat_key`]).
//!
//! The object has no line break, no other control character and no invalid UTF-8,
//! so that a reader of lines always finds whole objects.

use crate::{
    export::{Export, FormatRow, Style},
    text::flat_key,
    text::json_text::{Escapes, open, write_field, write_members},
};

pub(crate) const FORMAT: FormatRow = FormatRow::new("ndjson", "application/x-ndjson", write);

const ESCAPES: Escapes = Escapes::Controls;

fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let start = out.len();
    write_members(export, &style, ESCAPES, out);
    if let Some(fields) = &export.fields {
        fields.each(|key, value| {
            if flat_key::is_prefixed(key) {
                write_field(b",\"field_", (key, value), &style, ESCAPES, out);
            } else {
                write_field(b",\"", (key, value), &style, ESCAPES, out);
            }
        });
    }
    open(b'{', start, out);
    out.push(b'}');
}
