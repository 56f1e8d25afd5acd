//! The filter that a stats server sends to its clients.

use alloc::vec::Vec;

use crate::Filter;

/// Joins filters to the filter of a server's handshake, which matches every event
/// that one of them matches. Empty filters add nothing.
///
/// The text is Dovecot's, except that it always reads back to the same filter:
/// Dovecot's own [canonical](Filter::canonical) texts lose the backslash before an
/// escaped wildcard (2.4) and escape `'` in a way that is not read back (2.3), so
/// that clients withhold events that a metric needs.
///
/// ```
/// use fantail_filter::{Filter, handshake};
///
/// let filters: [Filter; 2] = ["event=login".parse()?, "bytes>1k".parse()?];
/// assert_eq!(
///     handshake(&filters),
///     br#"(event="login") OR ("bytes">"1024")"#
/// );
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
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
