//! The values of extension settings.

use std::{num::NonZeroU32, os::unix::ffi::OsStrExt as _, path::Path, time::Duration};

use fantail_transport::{Overflow, spool::Fsync};

/// The value of an [`ExtensionSetting`](crate::internal::ExtensionSetting).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionValue {
    /// No value: no limit, no file, or an unlimited time.
    None,
    /// `yes` or `no`.
    Switch(bool),
    /// A number.
    Number(u64),
    /// A number of bytes.
    Size(u64),
    /// A time interval.
    Interval(Duration),
    /// One of several words.
    Word(&'static str),
    /// A path, an address, a name.
    Text(Vec<u8>),
    /// A list of words.
    List(Vec<Vec<u8>>),
    /// The contents of a file, represented by its name.
    ContentsOf(Vec<u8>),
}

pub(super) fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl<T: Into<Self>> From<Option<T>> for ExtensionValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl From<bool> for ExtensionValue {
    fn from(on: bool) -> Self {
        Self::Switch(on)
    }
}

impl From<u32> for ExtensionValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<NonZeroU32> for ExtensionValue {
    fn from(number: NonZeroU32) -> Self {
        number.get().into()
    }
}

impl From<usize> for ExtensionValue {
    fn from(number: usize) -> Self {
        Self::Number(to_u64(number))
    }
}

impl From<Duration> for ExtensionValue {
    fn from(interval: Duration) -> Self {
        Self::Interval(interval)
    }
}

impl From<&'static str> for ExtensionValue {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<&Path> for ExtensionValue {
    fn from(path: &Path) -> Self {
        path.as_os_str().as_bytes().into()
    }
}

impl From<&[u8]> for ExtensionValue {
    fn from(text: &[u8]) -> Self {
        Self::Text(text.to_vec())
    }
}

impl From<Fsync> for ExtensionValue {
    fn from(fsync: Fsync) -> Self {
        match fsync {
            Fsync::Never => Self::Word("never"),
            Fsync::Always => Self::Word("always"),
            Fsync::Interval(interval) => Self::Interval(interval),
        }
    }
}

impl From<Overflow> for ExtensionValue {
    fn from(overflow: Overflow) -> Self {
        Self::Word(match overflow {
            Overflow::DropNewest => "drop-newest",
            Overflow::DropOldest => "drop-oldest",
        })
    }
}
