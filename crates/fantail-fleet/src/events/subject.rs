//! Subjects: `fantail.e1.CLUSTER.HOST.EXPORTER`.

use std::fmt;

use crate::counts::token;

/// The subject of the events of an exporter. Names with dots or wildcards are encoded as in
/// the subjects of counts ([`token`]).
///
/// ```
/// use fantail_fleet::events::EventSubject;
///
/// let subject = EventSubject { cluster: b"mail", host: b"mail1", exporter: b"a.>" };
/// assert_eq!(subject.to_string(), "fantail.e1.mail.mail1.=mexd4");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSubject<'a> {
    /// The cluster.
    pub cluster: &'a [u8],
    /// The host.
    pub host: &'a [u8],
    /// The name of the exporter.
    pub exporter: &'a [u8],
}

impl fmt::Display for EventSubject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cluster, host, exporter] = [self.cluster, self.host, self.exporter].map(token);
        write!(f, "fantail.e1.{cluster}.{host}.{exporter}")
    }
}

/// Returns the subjects of all exporters of a cluster, with a wildcard.
#[must_use]
pub fn subjects_of(cluster: &[u8]) -> String {
    format!("fantail.e1.{}.>", token(cluster))
}

/// Returns the beginning of the subjects of a host, with the last dot; `None` if the
/// subject is none of events.
pub(super) fn host_of(subject: &str) -> Option<&str> {
    let tokens: Vec<&str> = subject.split('.').collect();
    let ["fantail", "e1", _, _, exporter] = tokens.as_slice() else {
        return None;
    };
    let is_plain = subject.bytes().all(|byte| byte.is_ascii_graphic());
    let is_whole = tokens.iter().all(|token| !token.is_empty());
    let host = subject.strip_suffix(exporter);
    host.filter(|_| is_plain && is_whole)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_subject_names_its_host() {
        let good = "fantail.e1.mail.mail1.audit";
        assert_eq!(host_of(good), Some("fantail.e1.mail.mail1."));
        for bad in [
            "fantail.c1.mail.mail1.audit",
            "fantail.e1.mail.mail1",
            "fantail.e1.mail..audit",
            "fantail.e1.mail.mail1.audit.more",
            "fantail.e1.mail.mail1.a b",
        ] {
            assert_eq!(host_of(bad), None, "{bad}");
        }
    }
}
