//! The processes that have answered.

use std::collections::{BTreeMap, HashMap};

use crate::{Head, counts::PartRange};

/// The processes that have answered, by their random ids: a process that is listed under
/// two addresses is counted once, and so is a part of a cluster that two aggregates have.
///
/// ```
/// use fantail_fleet::{Head, Instances, Repeated, Share};
///
/// let head = |instance, parts: &str| Head {
///     instance: [instance; 16],
///     share: Some(Share {
///         cluster: b"mail".to_vec(),
///         parts: parts.parse().unwrap(),
///         is_complete: true,
///     }),
///     ..Head::default()
/// };
/// let mut instances = Instances::default();
/// assert_eq!(instances.admit(0, &head(1, "0-127")), Ok(()));
/// let parts = "0-127".parse().unwrap();
/// assert_eq!(instances.admit(1, &head(2, "64-191")), Err(Repeated::Parts(0, parts)));
/// assert_eq!(instances.missing(), [(&b"mail"[..], vec!["128-255".parse().unwrap()])]);
/// ```
#[derive(Debug, Default)]
pub struct Instances {
    hosts: HashMap<[u8; 16], usize>,
    /// The parts of each cluster, with the hosts that have them.
    clusters: BTreeMap<Vec<u8>, Vec<(PartRange, usize)>>,
}

/// Why an answer is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeated {
    /// It comes from the same process as that of this host.
    Process(usize),
    /// Parts of its cluster are in the answer of this host, which has these.
    Parts(usize, PartRange),
}

impl Instances {
    /// Notes that a host has answered.
    ///
    /// # Errors
    /// The same process, or an aggregate with some of the same parts, has answered before.
    pub fn admit(&mut self, host: usize, head: &Head) -> Result<(), Repeated> {
        match self.hosts.get(&head.instance) {
            Some(known) if *known == host => return Ok(()),
            Some(known) => return Err(Repeated::Process(*known)),
            None => {}
        }
        if let Some(share) = &head.share {
            let known = self.clusters.entry(share.cluster.clone()).or_default();
            let same = known.iter().find(|(parts, _)| parts.overlaps(share.parts));
            if let Some((parts, host)) = same {
                return Err(Repeated::Parts(*host, *parts));
            }
            known.push((share.parts, host));
        }
        self.hosts.insert(head.instance, host);
        Ok(())
    }

    /// Returns the parts of each cluster that no aggregate has answered for, without clusters
    /// that are whole.
    #[must_use]
    pub fn missing(&self) -> Vec<(&[u8], Vec<PartRange>)> {
        let clusters = self.clusters.iter();
        let missing = clusters.map(|(cluster, known)| {
            let known = known.iter().map(|(parts, _)| *parts);
            (cluster.as_slice(), PartRange::gaps(known.collect()))
        });
        missing.filter(|(_, gaps)| !gaps.is_empty()).collect()
    }
}
