//! What in a filter is dangerous to a real Dovecot.

use fantail_syntax::{Operator, Span, ValueKind};

/// A comparison that kills a Dovecot 2.3 process.
///
/// 2.3.19 dies where it compares an integer field with a text that is neither
/// a number nor has wildcards (`bytes_in=1k`): the stats process, and with it
/// every mail process that was sent the filter. Here such a comparison is
/// just false. Whether a field is an integer only the event tells, so each
/// comparison is named that is safe only as long as its field is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    span: Span,
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

    /// Where the comparison is written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The field that must not be an integer.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}
