//! Events over NATS JetStream: exporters publish theirs, `fantail collect` reads those of
//! all hosts.
//!
//! `fantail-transport` has the queues of exporters, and `fantail-fleet` the ids of events;
//! this module connects.

pub(crate) mod collect;
mod message;
mod publish;
pub(crate) mod stream;

pub(crate) use self::publish::NatsTransport;
