//! The sockets of a server: where they are bound, who connects, and what is said
//! first.

pub(crate) mod accept;
pub(crate) mod addresses;
pub(crate) mod answers;
pub(crate) mod greeting;
pub(crate) mod listeners;
pub(crate) mod login_link;
pub(crate) mod readers;
pub(crate) mod sockets;
