//! What an answer lacks, by host.

use fantail::{
    event::Dialect,
    fleet::{Head, Instances, Repeated},
};
use serde_json::{Value, json};

use super::address::Address;
use crate::exit::{Findings, say};

/// Why a host is not, or not as expected, in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is not in the answer.
    Missing,
    /// It is the same process as another host.
    Repeated,
    /// It is in the answer, but its counts stand still.
    Stale,
    /// Its metric is not in the answer: it has another definition.
    OtherSchema,
    /// It answered the first question only, so that numbers are bounded.
    Partly,
    /// It is an aggregate that does not have all that hosts have published.
    Behind,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::Stale => "stale",
            Self::OtherSchema => "other schema",
            Self::Partly => "partly",
            Self::Behind => "behind",
        }
    }
}

/// The notes about hosts.
#[derive(Debug)]
pub(super) struct Notes<'h> {
    hosts: &'h [Address],
    instances: Instances,
    notes: Vec<(usize, Kind, String)>,
    answered: usize,
}

impl<'h> Notes<'h> {
    pub(super) fn new(hosts: &'h [Address]) -> Self {
        Self {
            hosts,
            instances: Instances::default(),
            notes: Vec::new(),
            answered: 0,
        }
    }

    pub(super) fn add(&mut self, host: usize, kind: Kind, what: impl Into<String>) {
        self.notes.push((host, kind, what.into()));
    }

    /// Notes an answer of a host; returns whether it is to be counted.
    pub(super) fn admit(&mut self, host: usize, head: &Head) -> bool {
        let what = match self.instances.admit(host, head) {
            Ok(()) => None,
            Err(Repeated::Process(first)) => {
                Some(format!("the same process as {}", self.name(first)))
            }
            Err(Repeated::Parts(first, parts)) => {
                let first = self.name(first);
                Some(format!("has some of the parts {parts} of {first}"))
            }
            Err(_) => Some("repeated".to_owned()),
        };
        if let Some(what) = what {
            self.add(host, Kind::Repeated, what);
            return false;
        }
        self.answered += 1;
        let share = head.share.as_ref();
        if share.is_some_and(|share| !share.is_complete) {
            let what = "the aggregate lacks counts that hosts have published";
            self.add(host, Kind::Behind, what);
        }
        if share.is_none() && head.connections == 0 {
            let what = "no process of Dovecot is connected: its counts stand still";
            self.add(host, Kind::Stale, what);
        }
        true
    }

    /// Notes a metric that has another definition.
    pub(super) fn other_schema(
        &mut self,
        host: usize,
        metric: &[u8],
        filter: &[u8],
        dialect: Option<Dialect>,
    ) {
        let (metric, filter) = (metric.escape_ascii(), filter.escape_ascii());
        let dialect = dialect.map(|dialect| format!(" (Dovecot {dialect})"));
        let dialect = dialect.unwrap_or_default();
        let what = format!("metric {metric}{dialect} is defined differently: filter = {filter}");
        self.add(host, Kind::OtherSchema, what);
    }

    fn name(&self, host: usize) -> String {
        let host = self.hosts.get(host);
        host.map_or_else(String::new, ToString::to_string)
    }

    /// Returns whether each host is in the answer as a whole.
    pub(super) fn is_complete(&self) -> bool {
        let mut notes = self.notes.iter();
        notes.all(|(_, kind, _)| *kind == Kind::Stale) && self.missing_parts().is_empty()
    }

    /// Returns the clusters, and the parts of each that no aggregate answered for.
    fn missing_parts(&self) -> Vec<(String, String)> {
        let missing = self.instances.missing().into_iter();
        let missing = missing.map(|(cluster, ranges)| {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            (cluster.escape_ascii().to_string(), ranges.join(", "))
        });
        missing.collect()
    }

    /// Prints the notes in the order of hosts.
    pub(super) fn say(&mut self) -> Findings {
        self.notes.sort_by_key(|(host, _, _)| *host);
        for (host, kind, what) in &self.notes {
            say(format_args!(
                "{}: {}: {what}",
                self.name(*host),
                kind.name()
            ));
        }
        for (cluster, parts) in self.missing_parts() {
            say(format_args!(
                "cluster {cluster}: missing: no aggregate with the parts {parts} answered"
            ));
        }
        let (answered, asked) = (self.answered, self.hosts.len());
        if answered < asked {
            say(format_args!("{answered} of {asked} hosts answered"));
        }
        match self.is_complete() {
            true => Findings::None,
            false => Findings::Some,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let notes = self.notes.iter().map(|(host, kind, what)| {
            json!({ "host": self.name(*host), "state": kind.name(), "reason": what })
        });
        let missing = self.missing_parts().into_iter();
        let missing = missing.map(|(cluster, parts)| json!({ "cluster": cluster, "parts": parts }));
        json!({
            "missing_parts": missing.collect::<Vec<_>>(),
            "asked": self.hosts.len(),
            "answered": self.answered,
            "complete": self.is_complete(),
            "notes": notes.collect::<Vec<_>>(),
        })
    }
}
