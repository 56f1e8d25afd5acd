//! The name of this host, as Dovecot's exports give it.

/// The host's name; `localhost` if the system does not say.
pub(crate) fn of_this_machine() -> Vec<u8> {
    let name = rustix::system::uname().nodename().to_bytes().to_vec();
    if name.is_empty() {
        b"localhost".to_vec()
    } else {
        name
    }
}
