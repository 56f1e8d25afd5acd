//! Measurements: time, memory and instructions, beside the programs that people use otherwise.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod first_view;
pub(crate) mod instructions;
pub(crate) mod latency;
pub(crate) mod pages;
pub(crate) mod peers;
