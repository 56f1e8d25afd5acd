//! Playing a recording to a stats-writer socket.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// The maximum time until the server has read all.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Sends all lines of a recording in their order, each on its connection;
/// returns once the server has read and closed all connections.
///
/// Adjacent lines of one connection are sent together; the order in which a
/// server reads several connections is not defined.
pub fn play(capture: &[u8], socket: &Path) {
    let mut connections: HashMap<&[u8], UnixStream> = HashMap::new();
    for line in capture.split_inclusive(|&byte| byte == b'\n') {
        let mut parts = line.splitn(3, |&byte| byte == b'\t');
        let (Some(name), Some(_), Some(line)) = (parts.next(), parts.next(), parts.next()) else {
            panic!("no line of a recording: {}", line.escape_ascii());
        };
        if line == b"<close>\n" {
            if let Some(connection) = connections.remove(name) {
                close(connection);
            }
            continue;
        }
        let connection = connections.entry(name).or_insert_with(|| connect(socket));
        connection.write_all(line).expect("the server reads");
    }
    connections.into_values().for_each(close);
}

fn connect(socket: &Path) -> UnixStream {
    let mut connection = UnixStream::connect(socket).expect("a stats server");
    connection
        .set_read_timeout(Some(MAX_WAIT))
        .expect("a time limit");
    // The greeting: a server that is not ready gets no line.
    let _ = connection.read(&mut [0; 65_536]).expect("a greeting");
    connection
}

/// Waits until the server closes its side, once it has read all.
fn close(mut connection: UnixStream) {
    connection.shutdown(Shutdown::Write).expect("a connection");
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).expect("the server's end");
}
