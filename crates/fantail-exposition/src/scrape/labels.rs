//! The labels of a sample, between the braces.

use super::{escape::push_label_value, wire::push_label_pair};

/// The form of the labels of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelForm {
    /// `name="value"`, separated by commas.
    Text,
    /// The encoded fields of a message `Metric`, which are those of a `TimeSeries`, too.
    Protobuf,
}

/// The labels that several samples have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LabelPrefix<'p> {
    /// The formatted common labels.
    pub(crate) labels: &'p [u8],
    /// The name of the last label.
    pub(crate) name: &'p str,
}

/// Appends a label to others, unless its value is empty: all formats define
/// that as no label.
pub(crate) fn push_label(form: LabelForm, name: &str, value: &str, set: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    if form == LabelForm::Protobuf {
        return push_label_pair(name, value, set);
    }
    begin_label(name, set);
    push_label_value(value, set);
    set.push(b'"');
}

/// Appends a label with a value that is not empty and needs no escaping.
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
