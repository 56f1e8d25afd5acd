//! The stable names of everything that can be wrong with a configuration.

use std::fmt;

/// How bad it is; what is worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It may be meant so.
    Hint,
    /// It is read, but hardly as it was meant.
    Warning,
    /// The configuration is refused.
    Error,
}

impl Severity {
    /// Its name: `hint`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Declares an enum of stable codes, each with a severity and a title. A code
/// without a title has its documentation for one.
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

            /// Returns how bad it is, as a rule.
            #[must_use]
            pub const fn severity(self) -> $crate::Severity {
                match self { $(Self::$name => $crate::Severity::$severity,)+ }
            }

            /// Returns what it means, without the particulars.
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
    /// What is wrong. Its text form never changes once published.
    pub enum Code in "config/";

    /// A line is neither `key = value` nor the beginning of a block.
    ExpectedBrace = "expected-brace", Error, "expected `=` or `{`";
    /// Something follows the `{` in its line.
    GarbageAfterBrace = "garbage-after-brace", Error, "nothing may follow `{` in its line";
    /// A line begins with `=`.
    MissingKey = "missing-key", Error, "there is no setting name before `=`";
    /// `!include` without a file.
    MissingInclude = "missing-include", Warning, "the include names no file";
    /// A `}` that closes no block of its file.
    UnexpectedBrace = "unexpected-brace", Error, "this `}` closes nothing";
    /// A block that its file does not close.
    UnclosedBlock = "unclosed-block", Error, "this block is never closed";
    /// A value or block name that begins with a quote which never ends.
    UnterminatedQuote = "unterminated-quote", Error, "this quote is never closed";
    /// A `\` at the end of a line with no line to continue in.
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
    /// No file of that name.
    FileNotFound = "file-not-found", Error, "no such file";
    /// A file that cannot be read.
    FileUnreadable = "file-unreadable", Error, "the file cannot be read";

    /// `$name` where no setting of that name was given before.
    UnknownVariable = "unknown-variable", Error, "no setting of this name was given before";
    /// `dovecot_config_version` is none that is known.
    UnknownVersion = "unknown-version", Error, "this version of Dovecot's configuration is not known";
    /// `dovecot_config_version` behind other settings.
    LateVersion = "late-version", Error, "`dovecot_config_version` must be the first setting";

    /// Settings of 2.4 in a file that does not say so.
    MissingVersion = "missing-version", Warning, "the file does not begin with `dovecot_config_version`";

    /// A setting that the block does not have.
    UnknownSetting = "unknown-setting", Error, "unknown setting";
    /// A block that the block does not have.
    UnknownBlock = "unknown-block", Error, "unknown block";
    /// A setting where a block is needed, the other way round, or
    /// `metric/name/setting = value`, which Dovecot 2.4 takes in some places.
    WrongKind = "wrong-kind", Error, "a block and a setting are confused";
    /// A metric, an exporter or a field without a name.
    EmptyName = "empty-name", Error, "the name is empty";
    /// A 2.4 name that begins with `__`.
    ReservedName = "reserved-name", Error, "names that begin with `__` are reserved";
    /// Two blocks give one metric or exporter.
    Merged = "merged-block", Warning, "blocks of one name are merged into one";
    /// Two metrics or exporters that were given one name.
    NameTaken = "name-taken", Error, "two blocks have one name";
    /// A group that is not defined.
    UnknownGroup = "unknown-group", Error, "unknown group";
    /// A metric or exporter inside a block where the stats process never sees it.
    OutOfSight = "out-of-sight", Warning, "the stats process never sees this block";

    /// An exporter without `format`.
    MissingFormat = "missing-format", Error, "the exporter has no format";
    /// A `format` that is none.
    UnknownFormat = "unknown-format", Error, "unknown format";
    /// A 2.3 exporter without `transport`.
    MissingTransport = "missing-transport", Error, "the exporter has no transport";
    /// A `transport` or `driver` that is none.
    UnknownTransport = "unknown-transport", Error, "unknown transport";
    /// A word of `format_args` that is none.
    UnknownFormatArgument = "unknown-format-argument", Error, "unknown format argument";
    /// Two time formats.
    TwoTimeFormats = "two-time-formats", Error, "two time formats are given";
    /// No time format where the format needs one.
    MissingTimeFormat = "missing-time-format", Error, "the format needs a time format";
    /// A 2.4 `time_format` that is none.
    UnknownTimeFormat = "unknown-time-format", Error, "unknown time format";
    /// No URL for http-post.
    MissingUrl = "missing-url", Error, "the exporter has no URL to post to";
    /// A URL that cannot be posted to.
    InvalidUrl = "invalid-url", Error, "this URL cannot be posted to";
    /// No path for the file or unix driver.
    MissingPath = "missing-path", Error, "the exporter has no path to write to";
    /// A word that the setting does not know.
    UnknownValue = "unknown-value", Error, "the setting has no such value";
    /// A syslog address that cannot be read.
    InvalidAddress = "invalid-address", Error, "invalid address";
    /// A format that the transport cannot send.
    FormatMismatch = "format-mismatch", Error, "format and target do not fit together";
    /// Acknowledged delivery by a transport that is told nothing.
    NotConfirmed = "not-confirmed", Error, "this target does not confirm what it takes";
    /// Fields to be hashed without a secret.
    MissingSecret = "missing-secret", Error, "hashes need a secret";
    /// A secret that could be guessed.
    ShortSecret = "short-secret", Error, "the secret is too short";
    /// A time interval that cannot be read.
    InvalidInterval = "invalid-interval", Error, "invalid time interval";

    /// A metric without `filter`.
    MissingFilter = "missing-filter", Error, "the metric has no filter";
    /// A filter that is empty and so matches nothing.
    EmptyFilter = "empty-filter", Error, "the filter is empty and matches nothing";
    /// A filter that cannot be read.
    FilterSyntax = "filter-syntax", Error, "the filter cannot be read";
    /// An exporter that does not exist.
    UnknownExporter = "unknown-exporter", Error, "no exporter has this name";
    /// A word of `exporter_include` that is none.
    UnknownPart = "unknown-part", Warning, "unknown part of an event is ignored";
    /// A `group_by` function that is none.
    UnknownMethod = "unknown-method", Error, "unknown group_by method";
    /// Arguments that are not three numbers, or any where none are taken.
    MethodArguments = "method-arguments", Error, "wrong arguments for the group_by method";
    /// Numbers that make no buckets.
    InvalidBuckets = "invalid-buckets", Error, "these numbers make no buckets";
    /// Two methods for one field.
    TwoMethods = "two-methods", Error, "a field has more than one group_by method";
    /// A `modifier` that cannot be applied.
    InvalidModifier = "invalid-modifier", Error, "invalid modifier";
    /// A number that cannot be read.
    InvalidNumber = "invalid-number", Error, "invalid number";
    /// `declare` does not fit `group_by`.
    InvalidDeclaration = "invalid-declaration", Error, "these series cannot be declared";
    /// Neither `yes` nor `no`.
    InvalidBoolean = "invalid-boolean", Error, "neither `yes` nor `no`";
    /// A test file that names a metric which the configuration does not have.
    UnknownMetric = "unknown-metric", Error, "no metric has this name";
    /// An event of a test file that cannot be made.
    InvalidEvent = "invalid-event", Error, "this event cannot be made";
    /// A test file that does not say what is tested, or with what.
    IncompleteTest = "incomplete-test", Error, "the test is incomplete";
    /// A field twice in one list, or a setting given twice.
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
