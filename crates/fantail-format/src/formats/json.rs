//! `json`: one object, its keys in Dovecot's order.

use crate::{
    export::{Export, FormatRow, Style},
    text::json_text::{Escapes, open, write_field, write_members},
};

pub(crate) const FORMAT: FormatRow = FormatRow::new("json", "application/json", write);

/// Appends an event as an object.
fn write(export: &Export<'_>, style: Style, out: &mut Vec<u8>) {
    let escapes = Escapes::Dovecot(style.dialect);
    let start = out.len();
    write_members(export, &style, escapes, out);
    if let Some(fields) = &export.fields {
        out.extend_from_slice(b",\"fields\":");
        let start = out.len();
        fields.each(|key, value| {
            write_field(b",\"", (key, value), &style, escapes, out);
        });
        open(b'{', start, out);
        out.push(b'}');
    }
    open(b'{', start, out);
    out.push(b'}');
}
