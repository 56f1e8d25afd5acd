//! The stable names of everything that the checker finds.

use std::fmt;

use fantail_config::codes;

codes! {
    /// What was found. Its text form never changes once published.
    pub enum LintCode in "lint/";

    /// A name in a filter that no event of Dovecot has.
    UnknownEvent = "unknown-event", Warning;
    /// An event that this series of Dovecot does not send.
    EventVersion = "event-version", Warning;
    /// A filter that asks for several events at once, or for none.
    NeverMatches = "never-matches", Warning;
    /// A filter that every event with a name matches.
    MatchesEverything = "matches-everything", Hint;
    /// A filter that hardly means what it seems to, whatever the events are.
    OddFilter = "odd-filter", Warning;
    /// A category that Dovecot does not have.
    UnknownCategory = "unknown-category", Warning;

    /// A field that no event of Dovecot is known to carry; only a hint where no known field has a similar name.
    UnknownField = "unknown-field", Warning;
    /// A field that the events in question are not known to carry.
    FieldNotCarried = "field-not-carried", Hint;
    /// A field that these events have in another series of Dovecot only.
    FieldVersion = "field-version", Warning;
    /// A field that has another name in this series of Dovecot.
    RenamedField = "renamed-field", Warning;

    /// An operator that never holds for the type of the field.
    OperatorType = "operator-type", Warning;
    /// A value that the type of the field never has.
    ValueType = "value-type", Warning;
    /// A value that Dovecot never sends in this field.
    ValueNeverSent = "value-never-sent", Warning;
    /// A comparison that kills each Dovecot 2.3 process that evaluates it.
    CrashesDovecot = "crashes-dovecot", Error;

    /// Buckets of a field that is no number: there will be none.
    BucketsOfText = "buckets-of-text", Warning;
    /// Buckets that put most of the data into the last one.
    BucketsMiss = "buckets-miss", Warning;
    /// A series for each of very many values; Dovecot sets no limit.
    ManyValues = "many-values", Warning;

    /// Metrics that Prometheus does not see because of their names.
    HiddenMetric = "hidden-metric", Hint;
    /// An exporter that no metric uses.
    UnusedExporter = "unused-exporter", Warning;
    /// A setting that changes nothing where it stands.
    NoEffect = "no-effect", Hint;
    /// TABs in messages to syslog, which receivers write as `#011`.
    TabsInSyslog = "tabs-in-syslog", Hint;
    /// Something that the other series of Dovecot cannot express, or reads otherwise.
    NotCarriedOver = "not-carried-over", Warning;
    /// A metric that matched none of the recorded events that it was tried on.
    MatchesNothing = "matches-nothing", Warning;
    /// Sockets or ports that Dovecot binds as well, so that it does not start while fantail runs.
    SameSockets = "same-sockets", Warning;
    /// Connections of Dovecot's processes to each other, where those of mail clients seem to be meant.
    NotOfClients = "not-of-clients", Hint;
    /// A secret in a file that everybody on this machine can read.
    ReadableSecret = "readable-secret", Warning;
    /// A setting that only fantail knows, in a file that Dovecot reads, and refuses; an error where that is certain.
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
