//! Values of fields.

mod elements;
mod ip;

pub(crate) use self::elements::{JoinedElement, Strings};
pub use self::{
    elements::{ElementSource, Elements},
    ip::IpRef,
};
use crate::{Ip, Timestamp};

/// The value of a field, with the type that its sender gave it.
///
/// The variants are final: a consumer decides for each of them. Dovecot's
/// events have strings, integers, times, addresses and lists; the other kinds
/// are those of Rust programs and JSON.
///
/// | variant | as text (filters, labels, exports) | as a number |
/// | --- | --- | --- |
/// | `Str` | its bytes | – |
/// | `Int`, `Unsigned` | decimal digits | itself |
/// | `Float` | the shortest text that reads back as the same number, such as `1.5` | itself |
/// | `Bool` | `yes` or `no`, as Dovecot writes them | – |
/// | `Time` | see the format of the exporter; no filter matches it | microseconds since 1970 |
/// | `Ip` | the address | – |
/// | `List` | its elements | – |
///
/// Two values are equal if they mean the same: addresses by what they are, lists
/// by their elements in order.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// Bytes, mostly text. The empty string means that the field was removed: it
    /// hides the field of an ancestor.
    Str(&'a [u8]),
    /// A 64-bit signed integer.
    Int(i64),
    /// An integer above `i64::MAX`; smaller ones are [`ValueRef::Int`].
    Unsigned(u64),
    /// A floating point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A point in time.
    Time(Timestamp),
    /// An IP address (from Dovecot 2.4 on).
    Ip(IpRef<'a>),
    /// A list of strings: those of all ancestors that have a list of this key,
    /// and the event's own.
    List(Elements<'a>),
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(one), Self::Str(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Unsigned(one), Self::Unsigned(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Time(one), Self::Time(other)) => one == other,
            (Self::Ip(one), Self::Ip(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            _ => false,
        }
    }
}

impl<'a> From<&'a [u8]> for ValueRef<'a> {
    fn from(text: &'a [u8]) -> Self {
        Self::Str(text)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for ValueRef<'a> {
    fn from(text: &'a [u8; N]) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a str> for ValueRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text.as_bytes())
    }
}

impl<'a> From<&'a alloc::vec::Vec<u8>> for ValueRef<'a> {
    fn from(text: &'a alloc::vec::Vec<u8>) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a alloc::string::String> for ValueRef<'a> {
    fn from(text: &'a alloc::string::String) -> Self {
        Self::Str(text.as_bytes())
    }
}

impl From<i64> for ValueRef<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for ValueRef<'_> {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for ValueRef<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for ValueRef<'_> {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Unsigned(number), Self::Int)
    }
}

impl From<f64> for ValueRef<'_> {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for ValueRef<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Timestamp> for ValueRef<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<Ip> for ValueRef<'_> {
    fn from(ip: Ip) -> Self {
        Self::Ip(ip.into())
    }
}

impl<'a> From<Elements<'a>> for ValueRef<'a> {
    fn from(list: Elements<'a>) -> Self {
        Self::List(list)
    }
}
