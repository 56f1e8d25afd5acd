//! The encoding of protobuf: fields with their number and type.

const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const LENGTH: u32 = 2;

#[allow(
    clippy::cast_possible_truncation,
    reason = "the lowest seven bits are meant"
)]
pub(in crate::scrape) fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn push_key(field: u32, wire_type: u32, out: &mut Vec<u8>) {
    push_varint(u64::from(field << 3 | wire_type), out);
}

/// Appends a `uint64`, `uint32` or `enum`.
pub(in crate::scrape) fn push_unsigned(field: u32, number: u64, out: &mut Vec<u8>) {
    push_key(field, VARINT, out);
    push_varint(number, out);
}

/// Appends an `int64` or `int32`.
pub(in crate::scrape) fn push_signed(field: u32, number: i64, out: &mut Vec<u8>) {
    push_unsigned(field, number.cast_unsigned(), out);
}

/// Appends a `sint64` or `sint32`.
pub(in crate::scrape) fn push_zigzag(field: u32, number: i64, out: &mut Vec<u8>) {
    push_unsigned(field, ((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

pub(in crate::scrape) fn push_double(field: u32, number: f64, out: &mut Vec<u8>) {
    push_key(field, FIXED_64, out);
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends a `string`, or a message.
pub(in crate::scrape) fn push_bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    push_key(field, LENGTH, out);
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends a label: field 1 of a `Metric` and of an `Exemplar`.
pub(crate) fn push_label_pair(name: &str, value: &str, out: &mut Vec<u8>) {
    let length = |text: &str| 1 + varint_bytes(text.len()) + text.len();
    push_key(1, LENGTH, out);
    push_varint((length(name) + length(value)) as u64, out);
    push_bytes(1, name.as_bytes(), out);
    push_bytes(2, value.as_bytes(), out);
}

/// Returns the names and values of labels that [`push_label_pair`] has encoded.
pub(in crate::scrape) fn label_pairs(labels: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = labels;
    std::iter::from_fn(move || {
        let mut pair = take_field(&mut rest)?;
        Some((take_field(&mut pair)?, take_field(&mut pair)?))
    })
}

/// Takes a field with a length from the beginning of a message.
fn take_field<'m>(message: &mut &'m [u8]) -> Option<&'m [u8]> {
    let (_key, mut rest) = message.split_first()?;
    let mut length = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    let (field, after) = rest.split_at_checked(length)?;
    *message = after;
    Some(field)
}

const fn varint_bytes(number: usize) -> usize {
    match number.checked_ilog2() {
        None => 1,
        Some(bits) => bits as usize / 7 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        label_pairs, push_double, push_label_pair, push_signed, push_unsigned, push_zigzag,
    };

    /// The expected bytes are those of the protobuf documentation on encoding, or follow
    /// from its rules.
    #[test]
    fn fields_have_the_documented_bytes() {
        let written = |push: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            push(&mut out);
            out
        };
        assert_eq!(
            written(&|out| push_unsigned(1, 150, out)),
            [0x08, 0x96, 0x01]
        );
        assert_eq!(
            written(&|out| push_signed(1, -2, out)),
            [
                0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
            ]
        );
        for (number, byte) in [(0, 0), (-1, 1), (1, 2), (-2, 3)] {
            assert_eq!(written(&|out| push_zigzag(2, number, out)), [0x10, byte]);
        }
        assert_eq!(
            written(&|out| push_double(1, 1.0, out)),
            [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
        );
        assert_eq!(
            written(&|out| push_label_pair("a", "xyz", out)),
            b"\x0a\x08\x0a\x01a\x12\x03xyz"
        );
        // The bytes of the key and the length of the pair, and of the length of the value.
        for (length, pair, value) in [(127, 3, 1), (128, 3, 2), (16_383, 4, 2), (16_384, 4, 3)] {
            let bytes = written(&|out| push_label_pair("a", &"x".repeat(length), out));
            assert_eq!(bytes.len(), pair + 3 + 1 + value + length, "{length}");
        }
    }

    #[test]
    fn encoded_labels_are_read_back() {
        let long = "x".repeat(20_000);
        let labels = [
            ("a", "1"),
            ("le", ""),
            ("user", long.as_str()),
            ("b", "\u{e4}"),
        ];
        let mut encoded = Vec::new();
        for (name, value) in labels {
            push_label_pair(name, value, &mut encoded);
        }
        let read: Vec<_> = label_pairs(&encoded).collect();
        let expected = labels.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        assert_eq!(read, expected);
        assert_eq!(label_pairs(b"").count(), 0);
    }
}
