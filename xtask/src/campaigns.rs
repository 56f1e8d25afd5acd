//! Campaigns: long searches for faults, with real peers, random inputs and hostile clients.

pub(crate) mod attack;
pub(crate) mod diff;
pub(crate) mod fuzz;
pub(crate) mod models;
pub(crate) mod mutants;
pub(crate) mod simulate;
pub(crate) mod soak;
pub(crate) mod walk;
