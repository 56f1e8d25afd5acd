//! Comparison of names.

/// Returns whether two names are the same. Names of up to 32 bytes are compared
/// without a call; most by their first and last bytes, which may overlap.
///
/// ```
/// assert!(fantail_event::internal::same_name(b"remote_ip", b"remote_ip"));
/// assert!(!fantail_event::internal::same_name(b"remote_ip", b"remote_port"));
/// ```
#[must_use]
#[inline]
pub fn same_name(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0..4 => a.iter().eq(b),
        4..8 => ends::<4>(a) == ends::<4>(b),
        8..=16 => ends::<8>(a) == ends::<8>(b),
        17..=32 => ends::<16>(a) == ends::<16>(b),
        _ => a == b,
    }
}

#[inline]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn names_of_all_lengths_are_compared_whole() {
        for length in 0..70 {
            let name = alloc::vec![b'x'; length];
            assert!(same_name(&name, &name.clone()));
            assert!(!same_name(&name, &[&name[..], b"x"].concat()));
            for at in 0..length {
                let mut other = name.clone();
                other[at] = b'y';
                assert!(!same_name(&name, &other), "{length} {at}");
            }
        }
    }
}
