//! Releases of Dovecot.

use std::fmt;

use fantail_event::Dialect;

/// A release of Dovecot such as `2.3.18`; a later one is greater.
///
/// ```
/// use fantail_config::Release;
///
/// let debian = Release::parse("2.4.1-4+deb13u2").unwrap();
/// assert_eq!(debian.to_string(), "2.4.1");
/// assert!(Release::parse("2.3.19.1").unwrap() < debian);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// `2`
    pub major: u16,
    /// `3`
    pub minor: u16,
    /// `18`
    pub patch: u16,
}

impl Release {
    /// Parses `2.3.18`, optionally with a further number or the suffix of a
    /// package.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        };
        let mut parts = text.splitn(3, '.');
        let (major, minor) = (number(parts.next()?)?, number(parts.next()?)?);
        let patch = parts.next()?;
        let end = patch.bytes().take_while(u8::is_ascii_digit).count();
        let (patch, suffix) = patch.split_at_checked(end)?;
        let is_release = suffix.is_empty() || suffix.starts_with(['.', '-', '+', '~']);
        Some(Self {
            major,
            minor,
            patch: number(patch).filter(|_| is_release)?,
        })
    }

    /// Returns the first release of a series.
    #[must_use]
    pub const fn first_of(dialect: Dialect) -> Self {
        Self {
            major: 2,
            minor: match dialect {
                Dialect::V2_3 => 3,
                Dialect::V2_4 => 4,
            },
            patch: 0,
        }
    }

    /// Returns the series; `None` for a release of neither 2.3 nor 2.4.
    #[must_use]
    pub const fn dialect(self) -> Option<Dialect> {
        match (self.major, self.minor) {
            (2, 3) => Some(Dialect::V2_3),
            (2, 4) => Some(Dialect::V2_4),
            _ => None,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The Dovecot that a configuration is for: any release of a series, or one.
///
/// ```
/// use fantail_config::{Release, Target};
/// use fantail_event::Dialect;
///
/// let target = Target::new(Dialect::V2_4, Release::parse("2.4.1"));
/// assert_eq!(target.dialect(), Dialect::V2_4);
/// assert_eq!(Release::first_of(Dialect::V2_4).dialect(), Some(Dialect::V2_4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    dialect: Dialect,
    release: Option<Release>,
}

impl Target {
    /// Returns the target of a configuration; a release of another series is
    /// ignored.
    #[must_use]
    pub fn new(dialect: Dialect, release: Option<Release>) -> Self {
        let release = release.filter(|release| release.dialect() == Some(dialect));
        Self { dialect, release }
    }

    /// Returns the series.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        self.dialect
    }

    /// Returns the release; `None` for any of the series.
    #[must_use]
    pub const fn release(self) -> Option<Release> {
        self.release
    }

    /// Returns the release, or the first one of the series.
    #[must_use]
    pub fn first_release(self) -> Release {
        self.release.unwrap_or(Release::first_of(self.dialect))
    }

    /// Returns whether this Dovecot, or a release of the series, has what the
    /// release `since` added and `until` removed.
    #[must_use]
    pub fn has(self, since: Option<Release>, until: Option<Release>) -> bool {
        let came = since.is_none_or(|since| match (self.release, self.dialect) {
            (Some(release), _) => since <= release,
            (None, Dialect::V2_3) => since < Release::first_of(Dialect::V2_4),
            (None, Dialect::V2_4) => true,
        });
        came && until.is_none_or(|until| until > self.first_release())
    }
}

impl From<Dialect> for Target {
    fn from(dialect: Dialect) -> Self {
        Self::new(dialect, None)
    }
}

/// `2.3` or `2.3.18`
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.release {
            Some(release) => release.fmt(f),
            None => self.dialect.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_with_suffixes_of_packages() {
        let read = |text| Release::parse(text).map(|release| release.to_string());
        for (text, expected) in [
            ("2.3.18", "2.3.18"),
            ("2.3.19.1", "2.3.19"),
            ("2.4.1-4+deb13u2", "2.4.1"),
            ("2.4.5~rc1", "2.4.5"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "", "2", "2.4", "2.4.", "2.4.x", "2.4.1x", "+2.4.1", "v2.4.1", "2..1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_release_has_what_came_before_it_and_was_not_dropped() {
        let release = |text: &str| Release::parse(text);
        let has = |target: Target, since, until| target.has(release(since), release(until));
        let series = Target::from(Dialect::V2_3);
        let one = Target::new(Dialect::V2_3, release("2.3.13"));
        for target in [series, one] {
            assert!(has(target, "", ""));
            assert!(has(target, "2.3.13", ""));
            assert!(has(target, "", "2.3.14"));
            assert!(!has(target, "2.4.0", ""));
            assert!(!has(target, "", "2.3.0"));
        }
        assert!(has(series, "2.3.18", "") && !has(one, "2.3.18", ""));
        assert!(has(series, "", "2.3.13") && !has(one, "", "2.3.13"));
        let other = Target::new(Dialect::V2_4, release("2.3.13"));
        assert_eq!(other, Target::from(Dialect::V2_4));
    }
}
