//! The filter that a stats server sends to its clients.

use alloc::vec::Vec;

use crate::Filter;

/// Joins filters to the one that a server sends in its handshake: it matches
/// what any of them matches. Empty filters ask for nothing and add nothing.
///
/// This is what Dovecot sends, except that it reads back to exactly the same:
/// Dovecot's own [canonical](Filter::canonical) texts lose the backslash
/// before an escaped wildcard (2.4) and escape `'` in a way that is not read
/// back (2.3), and its clients then withhold events that a metric wants.
#[must_use]
pub fn handshake<'a>(filters: impl IntoIterator<Item = &'a Filter>) -> Vec<u8> {
    let mut joined = Vec::new();
    for filter in filters {
        if filter.is_empty() {
            continue;
        }
        if !joined.is_empty() {
            joined.extend_from_slice(b" OR ");
        }
        joined.extend_from_slice(filter.exact());
    }
    joined
}
