//! Keys: the form of labels in the store and its look-ups.

use crate::Label;

/// The label that distinguishes a series from its siblings, for a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Text(&'a [u8]),
    Bucket(u32),
    /// Integers above a limit, below a quantized level. Below a discrete level,
    /// the key is the text `other`.
    /// the text `other`.
    OtherBucket,
    Missing,
}

impl<'a> Key<'a> {
    /// Returns the stored form. The number is 0 for a text, 1 for other, 2 for
    /// missing, or the bucket plus 3.
    pub(crate) const fn parts(self) -> (u32, &'a [u8]) {
        match self {
            Self::Text(text) => (0, text),
            Self::OtherBucket => (1, &[]),
            Self::Missing => (2, &[]),
            Self::Bucket(bucket) => (bucket + 3, &[]),
        }
    }

    pub(crate) const fn from_parts(tag: u32, text: &'a [u8]) -> Self {
        match tag {
            0 => Self::Text(text),
            1 => Self::OtherBucket,
            2 => Self::Missing,
            bucket => Self::Bucket(bucket - 3),
        }
    }
}

impl<'a> From<Label<'a>> for Key<'a> {
    fn from(label: Label<'a>) -> Self {
        match label {
            Label::Value(text) => Self::Text(text),
            Label::Bucket(bucket) => Self::Bucket(bucket),
            Label::Other => Self::OtherBucket,
            Label::Missing => Self::Missing,
        }
    }
}

impl<'a> From<Key<'a>> for Label<'a> {
    fn from(key: Key<'a>) -> Self {
        match key {
            Key::Text(text) => Self::Value(text),
            Key::Bucket(bucket) => Self::Bucket(bucket),
            Key::OtherBucket => Self::Other,
            Key::Missing => Self::Missing,
        }
    }
}
