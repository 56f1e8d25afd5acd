//! The processes that have answered.

use std::collections::HashMap;

use crate::Head;

/// The processes that have answered, by their random ids: a process that is listed under
/// two addresses is counted once.
#[derive(Debug, Default)]
pub struct Instances {
    hosts: HashMap<[u8; 16], usize>,
}

impl Instances {
    /// Notes that a host has answered.
    ///
    /// # Errors
    /// Returns the host of the same process, which has answered before.
    pub fn admit(&mut self, host: usize, head: &Head) -> Result<(), usize> {
        match *self.hosts.entry(head.instance).or_insert(host) {
            known if known == host => Ok(()),
            known => Err(known),
        }
    }
}
