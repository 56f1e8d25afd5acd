//! Shared fixtures and golden runners for fantail's own tests.

pub mod allocator;
mod certificates;
mod checker;
pub mod dovecot;
pub mod golden;
mod killed;
mod nats;
pub mod process;
mod skip;

pub use crate::{
    certificates::make_certificates,
    checker::{Verdict, checked, python},
    killed::{check_killed, processes_with},
    nats::{NatsServer, nats_servers},
    skip::{program, skip},
};
