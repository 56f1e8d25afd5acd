//! The stable names of all findings.

use std::fmt;

use fantail_config::codes;

codes! {
    /// The kind of a finding. Its text form never changes once published.
    pub enum LintCode in "lint/";

    /// A name in a filter that no event of Dovecot has.
    UnknownEvent = "unknown-event", Warning;
    /// An event that this series of Dovecot does not send.
    EventVersion = "event-version", Warning;
    /// A filter that requires several events at once, or none.
    NeverMatches = "never-matches", Warning;
    /// A filter that every event with a name matches.
    MatchesEverything = "matches-everything", Hint;
    /// A filter that means something else than it seems to, for any events.
    OddFilter = "odd-filter", Warning;
    /// A category that Dovecot does not have.
    UnknownCategory = "unknown-category", Warning;

    /// A field that no event of Dovecot is known to have; a hint if no known
    /// field has a similar name.
    UnknownField = "unknown-field", Warning;
    /// A field that the events in question are not known to have.
    FieldNotCarried = "field-not-carried", Hint;
    /// A field that these events have only in another series of Dovecot.
    FieldVersion = "field-version", Warning;
    /// A field that has another name in this series of Dovecot.
    RenamedField = "renamed-field", Warning;

    /// An operator that never holds for the type of the field.
    OperatorType = "operator-type", Warning;
    /// A value that the type of the field never has.
    ValueType = "value-type", Warning;
    /// A value that Dovecot never sends in this field.
    ValueNeverSent = "value-never-sent", Warning;
    /// A comparison that crashes each Dovecot 2.3 process that evaluates it.
    CrashesDovecot = "crashes-dovecot", Error;

    /// Buckets of a field that is not a number: Dovecot makes none.
    BucketsOfText = "buckets-of-text", Warning;
    /// Buckets that put most of the data into the last one.
    BucketsMiss = "buckets-miss", Warning;
    /// A series for each of many values; Dovecot sets no limit.
    ManyValues = "many-values", Warning;

    /// Metrics with names that Prometheus does not allow.
    HiddenMetric = "hidden-metric", Hint;
    /// An exporter that no metric uses.
    UnusedExporter = "unused-exporter", Warning;
    /// A setting without an effect in its block.
    NoEffect = "no-effect", Hint;
    /// TABs in messages to syslog, which receivers write as `#011`.
    TabsInSyslog = "tabs-in-syslog", Hint;
    /// A setting that the other series of Dovecot cannot express, or reads
    /// differently.
    NotCarriedOver = "not-carried-over", Warning;
    /// A metric that matched none of the recorded events.
    MatchesNothing = "matches-nothing", Warning;
    /// Sockets or ports that Dovecot binds as well, so that it does not start
    /// while fantail runs.
    SameSockets = "same-sockets", Warning;
    /// Connections of Dovecot's processes to each other, probably confused with
    /// those of mail clients.
    NotOfClients = "not-of-clients", Hint;
    /// A secret in a file that all users of this machine can read.
    ReadableSecret = "readable-secret", Warning;
    /// An extension setting in a file that Dovecot reads and refuses; an error
    /// if Dovecot certainly reads it.
    UnknownToDovecot = "unknown-to-dovecot", Warning;
}

impl fmt::Display for LintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, io::Read};

    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        let names: HashSet<&str> = LintCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), LintCode::ALL.len());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks.md");
        let mut page = String::new();
        let mut file = std::fs::File::open(path).unwrap();
        file.read_to_string(&mut page).unwrap();
        for code in LintCode::ALL {
            let row = format!("| `{code}` | {} |", code.severity().as_str());
            assert!(page.contains(&row), "docs/checks.md lacks {row}");
        }
    }
}
