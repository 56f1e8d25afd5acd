//! The name of this host, in the form of Dovecot's exports.

/// Returns the host's name; `localhost` if the system has none.
pub(crate) fn of_this_machine() -> Vec<u8> {
    let name = rustix::system::uname().nodename().to_bytes().to_vec();
    if name.is_empty() {
        b"localhost".to_vec()
    } else {
        name
    }
}
