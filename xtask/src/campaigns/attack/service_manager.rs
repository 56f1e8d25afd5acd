//! A service manager that passes sockets to the server, also unknown ones.

use std::{net::SocketAddr, path::Path, process::Command};

use super::{Attack, BASE, HONEST, Start, Target};
use crate::error::Error;

const ACTIVATE: &str = "systemd-socket-activate";

pub(super) const ATTACKS: &[Attack] = &[Attack {
    name: "handed-over-sockets",
    blocks: HONEST,
    start: Start::WithSockets,
    needs: &[ACTIVATE],
    run: handed_over_sockets,
    ..BASE
}];

/// Returns the command that starts the program at the first connection to a socket.
pub(super) fn launcher(program: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(ACTIVATE);
    for name in ["run/stats-writer", "run/stats-reader", "run/nonsense"] {
        command.arg("--listen").arg(folder.join(name));
    }
    command.arg("--listen").arg(address.to_string());
    command.arg("--").arg(program);
    command
}

/// The server serves the sockets that it knows, and logs and closes the others.
fn handed_over_sockets(target: &mut Target) -> Result<(), Error> {
    target.check_honest_client()?;
    let logged = target.logged();
    if !logged.contains("handed over a socket that is called neither") {
        return Err(Error::new("a socket of another name is not mentioned"));
    }
    if target.ask("FANTAIL-RELOAD")? != "+" {
        return Err(Error::new("the stats-reader socket is not served"));
    }
    for round in 0..3 {
        target.kill();
        // The launcher of the next server creates the sockets again.
        for name in ["run/stats-writer", "run/stats-reader", "run/nonsense"] {
            let _ = std::fs::remove_file(target.path(name));
        }
        target.start_again()?;
        let again = target.check_honest_client();
        again.map_err(|error| Error::new(format!("round {round}: {error}")))?;
    }
    Ok(())
}
