//! The labels of a sample, as they stand between the braces.

use super::escape::push_label_value;

/// What the labels of many samples begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LabelPrefix<'p> {
    /// The labels that all have, as they are written.
    pub(crate) labels: &'p [u8],
    /// The name of the last.
    pub(crate) name: &'p str,
}

/// Appends a label to others. One without a value is the same as none, so it
/// is not written.
pub(crate) fn push_label(name: &str, value: &str, set: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    begin_label(name, set);
    push_label_value(value, set);
    set.push(b'"');
}

/// The same, of a value that is not empty, and is written as it is.
#[inline]
pub(crate) fn push_verbatim_label(name: &str, value: &[u8], set: &mut Vec<u8>) {
    begin_label(name, set);
    set.extend_from_slice(value);
    set.push(b'"');
}

#[inline]
fn begin_label(name: &str, set: &mut Vec<u8>) {
    if !set.is_empty() {
        set.push(b',');
    }
    set.extend_from_slice(name.as_bytes());
    set.extend_from_slice(b"=\"");
}
