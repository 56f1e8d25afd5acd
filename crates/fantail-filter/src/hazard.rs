//! Comparisons that crash a real Dovecot.

use core::ops::Range;
use fantail_syntax::{Operator, ValueKind};

/// A comparison that can crash a Dovecot 2.3 process.
///
/// 2.3.19 crashes when it compares an integer field with a text that is neither a
/// number nor has wildcards (`bytes_in=1k`): the stats process, and every mail
/// process that got the filter. In this crate such a comparison is false. Only an
/// event determines the type of a field, so each comparison is reported that is
/// safe only if its field is not an integer.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_filter::{Filter, Hazard};
/// use fantail_syntax::ParseOptions;
///
/// let filter = Filter::parse(b"user=anna OR bytes_in=1k", &ParseOptions::new(Dialect::V2_3))?;
/// let hazards: Vec<Hazard> = filter.hazards().collect();
/// assert_eq!(hazards[1].key(), b"bytes_in");
/// assert_eq!(hazards[1].span(), 13..24);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    span: Range<usize>,
    key: alloc::boxed::Box<[u8]>,
}

impl Hazard {
    /// The hazard of this comparison, if any.
    pub(crate) fn of(comparison: &fantail_syntax::Comparison) -> Option<Self> {
        let fantail_syntax::Key::Field(key) = &comparison.key else {
            return None;
        };
        let is_hazard = comparison.operator == Operator::Equal
            && comparison.value.kind() == ValueKind::Text
            && comparison.value.wildcards() == 0;
        is_hazard.then(|| Self {
            span: comparison.span.clone(),
            key: key.clone(),
        })
    }

    /// Returns the position of the comparison in the filter's text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the key of the field that must not be an integer.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}
