//! Texts with wildcards.
//!
//! Matching is iterative: it remembers the last `*` and returns there if the rest
//! does not fit. It does not allocate; the worst case is the product of both
//! lengths.

use alloc::{boxed::Box, vec::Vec};

use fantail_syntax::PatternPart;

/// Whether letters match in either case (ASCII only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// `a` is `a`: event names, categories, source places.
    Sensitive,
    /// `a` is `a` or `A`: the values of fields.
    Insensitive,
}

/// A text to compare with, possibly with wildcards.
///
/// ```
/// use fantail_filter::{Case, Pattern};
/// use fantail_syntax::PatternPart;
///
/// let parts = [PatternPart::Byte(b'a'), PatternPart::AnyRun];
/// let pattern = Pattern::new(parts.into_iter(), Case::Insensitive);
/// assert!(pattern.matches(b"Anna") && !pattern.matches(b"Bob"));
/// assert_eq!(pattern.literal(), None);
/// # Ok::<(), fantail_syntax::ParseErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    case: Case,
    needle: Needle,
}

/// Lower-cased where the case does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Needle {
    Literal(Box<[u8]>),
    Wild(Box<[PatternPart]>),
}

/// The maximum capacity for a literal before its bytes are known.
const LITERAL_BYTES: usize = 256;

impl Pattern {
    /// Creates a pattern of these parts.
    #[must_use]
    pub fn new(parts: impl Iterator<Item = PatternPart>, case: Case) -> Self {
        let fold = |byte: u8| match case {
            Case::Sensitive => byte,
            Case::Insensitive => byte.to_ascii_lowercase(),
        };
        let bytes = parts.size_hint().1.unwrap_or(LITERAL_BYTES);
        let mut literal = Vec::with_capacity(bytes.min(LITERAL_BYTES));
        let mut wild = Vec::new();
        for part in parts {
            match part {
                PatternPart::Byte(byte) if wild.is_empty() => literal.push(fold(byte)),
                PatternPart::Byte(byte) => wild.push(PatternPart::Byte(fold(byte))),
                wildcard => {
                    wild.extend(literal.drain(..).map(PatternPart::Byte));
                    wild.push(wildcard);
                }
            }
        }
        let needle = match wild.is_empty() {
            true => Needle::Literal(literal.into()),
            false => Needle::Wild(wild.into()),
        };
        Self { case, needle }
    }

    /// Returns whether letters match in either case.
    #[must_use]
    pub fn case(&self) -> Case {
        self.case
    }

    /// Returns the text if it has no wildcards; in lower case if case is ignored.
    #[must_use]
    pub fn literal(&self) -> Option<&[u8]> {
        match &self.needle {
            Needle::Literal(bytes) => Some(bytes),
            Needle::Wild(_) => None,
        }
    }

    /// Returns the parts if there are wildcards; bytes in lower case if case is
    /// ignored.
    #[must_use]
    pub fn wild(&self) -> Option<&[PatternPart]> {
        match &self.needle {
            Needle::Literal(_) => None,
            Needle::Wild(parts) => Some(parts),
        }
    }

    /// Returns whether the pattern is the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.literal().is_some_and(<[u8]>::is_empty)
    }

    /// Returns whether the pattern fits the whole text.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match (&self.needle, self.case) {
            (Needle::Literal(bytes), Case::Sensitive) => **bytes == *text,
            (Needle::Literal(bytes), Case::Insensitive) => bytes.eq_ignore_ascii_case(text),
            (Needle::Wild(parts), Case::Sensitive) => fits(parts, text, |byte| byte),
            (Needle::Wild(parts), Case::Insensitive) => {
                fits(parts, text, |byte| byte.to_ascii_lowercase())
            }
        }
    }
}

fn fits(parts: &[PatternPart], text: &[u8], fold: impl Fn(u8) -> u8) -> bool {
    let (mut part, mut at) = (0, 0);
    // Behind the last `*`: the part after it, and where the text goes on
    // should the `*` take one byte more.
    let mut last_run: Option<(usize, usize)> = None;
    loop {
        let fits_here = match (parts.get(part), text.get(at)) {
            (None, None) => return true,
            (Some(PatternPart::AnyRun), _) => {
                part += 1;
                last_run = Some((part, at + 1));
                continue;
            }
            (_, None) => return false,
            (Some(PatternPart::AnyByte), Some(_)) => true,
            (Some(PatternPart::Byte(wanted)), Some(&byte)) => *wanted == fold(byte),
            (None, Some(_)) => false,
        };
        if fits_here {
            part += 1;
            at += 1;
            continue;
        }
        match &mut last_run {
            None => return false,
            Some((after, next)) => {
                (part, at) = (*after, *next);
                *next += 1;
            }
        }
    }
}
