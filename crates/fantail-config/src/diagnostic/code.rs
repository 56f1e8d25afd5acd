//! The stable names of all diagnostics.

use std::fmt;

/// The severity; more severe is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The setting may be intended.
    Hint,
    /// The setting is accepted, but probably does not have the intended effect.
    Warning,
    /// The configuration is refused.
    Error,
}

impl Severity {
    /// Returns `hint`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Declares an enum of stable codes, each with a severity and a title. The
/// title of a code without one is its documentation.
#[doc(hidden)]
#[macro_export]
macro_rules! codes {
    (
        $(#[doc = $about:literal])+
        pub enum $codes:ident in $prefix:literal;
        $($(#[doc = $doc:literal])+ $name:ident = $text:literal, $severity:ident $(, $title:literal)?;)+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $codes {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $codes {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the stable name, which begins with
            #[doc = concat!("`", $prefix, "`.")]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!($prefix, $text),)+ }
            }

            /// Returns the usual severity.
            #[must_use]
            pub const fn severity(self) -> $crate::Severity {
                match self { $(Self::$name => $crate::Severity::$severity,)+ }
            }

            /// Returns the meaning, without the details of a case.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $crate::codes!(@title [$($title)?] $($doc)+),)+
                }
            }
        }
    };
    (@title [$title:literal] $($doc:literal)+) => { $title };
    (@title [] $($doc:literal)+) => { concat!($($doc),+).trim_ascii() };
}

codes! {
    /// The kind of a diagnostic. Its text form never changes once published.
    pub enum Code in "config/";

    /// A line is neither `key = value` nor the beginning of a block.
    ExpectedBrace = "expected-brace", Error, "expected `=` or `{`";
    /// Text after the `{` in its line.
    GarbageAfterBrace = "garbage-after-brace", Error, "nothing may follow `{` in its line";
    /// A line begins with `=`.
    MissingKey = "missing-key", Error, "there is no setting name before `=`";
    /// `!include` without a file.
    MissingInclude = "missing-include", Warning, "the include names no file";
    /// A `}` that closes no block of its file.
    UnexpectedBrace = "unexpected-brace", Error, "this `}` closes nothing";
    /// A block that its file does not close.
    UnclosedBlock = "unclosed-block", Error, "this block is never closed";
    /// A value or block name that begins with a quote and has no closing one.
    UnterminatedQuote = "unterminated-quote", Error, "this quote is never closed";
    /// A `\` at the end of a line, without a next line.
    LostContinuation = "lost-continuation", Warning,
        "the statement is cut off after `\\` and has no effect";
    /// A `#` directly behind other text.
    AmbiguousComment = "ambiguous-comment", Warning, "`#` begins a comment here";

    /// Blocks are nested deeper than the limit.
    TooDeep = "too-deep", Error, "blocks are nested too deep";
    /// The configuration is larger than a limit.
    TooLarge = "too-large", Error, "the configuration is too large";
    /// There are more errors than the limit.
    TooManyErrors = "too-many-errors", Error, "there are too many errors to go on";
    /// Includes are nested deeper than the limit.
    IncludeTooDeep = "include-too-deep", Error, "includes are nested too deep";
    /// More files than the limit.
    TooManyFiles = "too-many-files", Error, "too many files are included";
    /// A file includes itself, directly or not.
    IncludeLoop = "include-loop", Error, "the file includes itself";
    /// A file that does not exist.
    FileNotFound = "file-not-found", Error, "no such file";
    /// A file that cannot be read.
    FileUnreadable = "file-unreadable", Error, "the file cannot be read";

    /// `$name` without an earlier setting of that name.
    UnknownVariable = "unknown-variable", Error, "no setting of this name was given before";
    /// An unknown value of `dovecot_config_version`.
    UnknownVersion = "unknown-version", Error, "this version of Dovecot's configuration is not known";
    /// `dovecot_config_version` after other settings.
    LateVersion = "late-version", Error, "`dovecot_config_version` must be the first setting";

    /// Settings of 2.4 in a file without `dovecot_config_version`.
    MissingVersion = "missing-version", Warning, "the file does not begin with `dovecot_config_version`";

    /// A setting that the block does not have.
    UnknownSetting = "unknown-setting", Error, "unknown setting";
    /// A block that the block does not have.
    UnknownBlock = "unknown-block", Error, "unknown block";
    /// A setting instead of a block, a block instead of a setting, or
    /// `metric/name/setting = value`, which Dovecot 2.4 accepts only in some
    /// positions.
    WrongKind = "wrong-kind", Error, "a block and a setting are confused";
    /// A metric, an exporter or a field without a name.
    EmptyName = "empty-name", Error, "the name is empty";
    /// A 2.4 name that begins with `__`.
    ReservedName = "reserved-name", Error, "names that begin with `__` are reserved";
    /// Two blocks that define one metric or exporter.
    Merged = "merged-block", Warning, "blocks of one name are merged into one";
    /// Two metrics or exporters with the same name.
    NameTaken = "name-taken", Error, "two blocks have one name";
    /// A group that is not defined.
    UnknownGroup = "unknown-group", Error, "unknown group";
    /// A metric or exporter inside a block that the stats process does not
    /// read.
    OutOfSight = "out-of-sight", Warning, "the stats process never sees this block";

    /// An exporter without `format`.
    MissingFormat = "missing-format", Error, "the exporter has no format";
    /// An unknown `format`.
    UnknownFormat = "unknown-format", Error, "unknown format";
    /// A 2.3 exporter without `transport`.
    MissingTransport = "missing-transport", Error, "the exporter has no transport";
    /// An unknown `transport` or `driver`.
    UnknownTransport = "unknown-transport", Error, "unknown transport";
    /// An unknown word of `format_args`.
    UnknownFormatArgument = "unknown-format-argument", Error, "unknown format argument";
    /// Two time formats.
    TwoTimeFormats = "two-time-formats", Error, "two time formats are given";
    /// A format that needs a time format, without one.
    MissingTimeFormat = "missing-time-format", Error, "the format needs a time format";
    /// An unknown `time_format` of 2.4.
    UnknownTimeFormat = "unknown-time-format", Error, "unknown time format";
    /// No URL for http-post.
    MissingUrl = "missing-url", Error, "the exporter has no URL to post to";
    /// An invalid URL for HTTP.
    InvalidUrl = "invalid-url", Error, "this URL cannot be posted to";
    /// No path for the file or unix driver.
    MissingPath = "missing-path", Error, "the exporter has no path to write to";
    /// An unknown word of a setting.
    UnknownValue = "unknown-value", Error, "the setting has no such value";
    /// An invalid syslog address.
    InvalidAddress = "invalid-address", Error, "invalid address";
    /// A format that the transport cannot send.
    FormatMismatch = "format-mismatch", Error, "format and target do not fit together";
    /// Acknowledged delivery with a transport that gets no acknowledgement.
    NotConfirmed = "not-confirmed", Error, "this target does not confirm what it takes";
    /// Hashed fields without a secret.
    MissingSecret = "missing-secret", Error, "hashes need a secret";
    /// A secret that could be guessed.
    ShortSecret = "short-secret", Error, "the secret is too short";
    /// An invalid time interval.
    InvalidInterval = "invalid-interval", Error, "invalid time interval";

    /// A metric without `filter`.
    MissingFilter = "missing-filter", Error, "the metric has no filter";
    /// A filter that is empty and so matches nothing.
    EmptyFilter = "empty-filter", Error, "the filter is empty and matches nothing";
    /// An invalid filter.
    FilterSyntax = "filter-syntax", Error, "the filter cannot be read";
    /// An exporter that does not exist.
    UnknownExporter = "unknown-exporter", Error, "no exporter has this name";
    /// An unknown word of `exporter_include`.
    UnknownPart = "unknown-part", Warning, "unknown part of an event is ignored";
    /// An unknown `group_by` function.
    UnknownMethod = "unknown-method", Error, "unknown group_by method";
    /// Arguments that are not three numbers, or any arguments of a function
    /// without arguments.
    MethodArguments = "method-arguments", Error, "wrong arguments for the group_by method";
    /// Numbers that are invalid for buckets.
    InvalidBuckets = "invalid-buckets", Error, "these numbers make no buckets";
    /// Two methods for one field.
    TwoMethods = "two-methods", Error, "a field has more than one group_by method";
    /// Heavy hitters beside other levels.
    TopNotAlone = "top-not-alone", Error, "the group_by method `top` must be the only level";
    /// An invalid `modifier`.
    InvalidModifier = "invalid-modifier", Error, "invalid modifier";
    /// An invalid number.
    InvalidNumber = "invalid-number", Error, "invalid number";
    /// `declare` does not fit `group_by`.
    InvalidDeclaration = "invalid-declaration", Error, "these series cannot be declared";
    /// A value other than `yes` and `no`.
    InvalidBoolean = "invalid-boolean", Error, "neither `yes` nor `no`";
    /// A test file that names a metric which the configuration does not have.
    UnknownMetric = "unknown-metric", Error, "no metric has this name";
    /// An event of a test file that is invalid.
    InvalidEvent = "invalid-event", Error, "this event cannot be made";
    /// A test file without a subject, or without expectations.
    IncompleteTest = "incomplete-test", Error, "the test is incomplete";
    /// A field twice in one list, or a setting twice.
    Repeated = "repeated", Warning, "this is given twice";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            let short = name.strip_prefix("config/").unwrap();
            assert!(
                short
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{name}"
            );
        }
    }
}
