//! Field values.

use alloc::{borrow::Cow, vec::Vec};

use crate::{Bytes, Ip, Timestamp};

/// The value of a field, with the type its sender gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Bytes, mostly text. The empty string stands for a field that was
    /// removed: it hides the field of a parent.
    Str(Bytes<'a>),
    /// A 64-bit signed integer.
    Int(i64),
    /// A point in time.
    Time(Timestamp),
    /// An IP address (2.4 only).
    Ip(Ip),
    /// A list of strings.
    List(Vec<Bytes<'a>>),
}

impl<'a> Value<'a> {
    /// The value without its lists' contents, as filters see it.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Str(text) => ValueRef::Str(text),
            Self::Int(number) => ValueRef::Int(*number),
            Self::Time(time) => ValueRef::Time(*time),
            Self::Ip(ip) => ValueRef::Ip(*ip),
            Self::List(_) => ValueRef::List,
        }
    }

    /// The same value, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Str(text) => Value::Str(Cow::Owned(text.into_owned())),
            Self::Int(number) => Value::Int(number),
            Self::Time(time) => Value::Time(time),
            Self::Ip(ip) => Value::Ip(ip),
            Self::List(list) => Value::List(
                list.into_iter()
                    .map(|v| Cow::Owned(v.into_owned()))
                    .collect(),
            ),
        }
    }
}

/// A value as a look-up gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueRef<'a> {
    /// Bytes, mostly text.
    Str(&'a [u8]),
    /// A 64-bit signed integer.
    Int(i64),
    /// A point in time.
    Time(Timestamp),
    /// An IP address.
    Ip(Ip),
    /// A list; its elements, those of all ancestors included, come from
    /// [`EventView::any_element`](crate::EventView::any_element).
    List,
}
