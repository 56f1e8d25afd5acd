//! The state of the stats service's sockets.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use fantail::{
    config::UnixListener,
    lint::{SocketAccess, SocketFacts, SocketOwner, SocketRole, SocketState},
};

use super::{
    Gathered, connect, dovecot,
    files::account,
    peers::Connections,
    process::{self, Processes},
    server::{self, Serve},
};

/// Checks the sockets, and returns the `fantail serve` that listens on them.
pub(super) fn gather(gathered: &mut Gathered, processes: &Processes) -> Option<Serve> {
    // Read before this program connects, to leave out its own connections.
    let connections = Connections::read();
    // The server is found first, because its flags may name other sockets.
    let serve = server::find(gathered, processes);
    let flags = serve.as_ref().map(|serve| &serve.arguments);
    let base = gathered.base_dir.clone();
    let writer = flags.and_then(|flags| flags.writer.clone());
    let has_login = writer.is_none() && flags.is_none_or(|flags| !flags.no_login_writer);
    if let Some(reader) = flags.and_then(|flags| flags.reader.clone()) {
        gathered.reader = reader;
    }
    let mut sockets = vec![(
        SocketRole::Writer,
        writer.unwrap_or_else(|| base.join("stats-writer")),
    )];
    if has_login {
        sockets.push((SocketRole::LoginWriter, base.join("login/stats-writer")));
    }
    sockets.push((SocketRole::Reader, gathered.reader.clone()));
    for (role, path) in sockets {
        let facts = look(gathered, processes, connections.as_ref().ok(), role, &path);
        // Dovecot creates its sockets before it writes `master.pid`.
        if let SocketState::Served {
            program: SocketOwner::Dovecot,
            pid,
        } = &facts.state
        {
            gathered.facts.dovecot.is_running = Some(true);
            gathered.master = gathered.master.or(Some(*pid));
        }
        gathered.facts.sockets.push(facts);
    }
    match connections {
        Ok(connections) => unconnected(gathered, processes, &connections),
        Err(error) => gathered.unseen("the connections of Dovecot's processes", error),
    }
    serve
}

/// Finds the processes of Dovecot that should be connected to the sockets for events,
/// and are not.
fn unconnected(gathered: &mut Gathered, processes: &Processes, connections: &Connections) {
    let Some(master) = gathered.master else {
        return;
    };
    let sockets = gathered.facts.sockets.iter();
    let writers = sockets.filter(|socket| socket.role != SocketRole::Reader);
    let peers = writers.map(|socket| connections.peers(Path::new(&socket.path)));
    let peers: BTreeSet<u64> = peers.flatten().collect();
    let mut found = Vec::new();
    for process in dovecot::senders(processes, master) {
        let Some(sockets) = process::socket_inodes(process.pid) else {
            gathered.unseen(
                "which processes of Dovecot are connected",
                "only root sees their files",
            );
            return;
        };
        // A process without any socket has ended in the meantime.
        if !sockets.is_empty() && sockets.is_disjoint(&peers) {
            found.push((process.name.clone(), process.pid));
        }
    }
    gathered.facts.dovecot.unconnected = found;
}

fn look(
    gathered: &mut Gathered,
    processes: &Processes,
    connections: Option<&Connections>,
    role: SocketRole,
    path: &Path,
) -> SocketFacts {
    let clients = connections.map(|connections| connections.peers(path).len());
    let state = match connect::to(path) {
        Ok(connected) => {
            let listener = connections.and_then(|connections| connections.listener(path));
            let pid = listening(gathered.master, connected.pid, listener);
            let program = program(processes, pid);
            SocketState::Served { program, pid }
        }
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => SocketState::Missing,
            io::ErrorKind::ConnectionRefused => SocketState::Stale,
            _ => {
                gathered.unseen(path.display().to_string(), error);
                SocketState::Unseen
            }
        },
    };
    SocketFacts {
        role,
        path: path.display().to_string(),
        state,
        access: access(gathered, role, path),
        clients,
    }
}

/// Returns the process that listens: Dovecot's master if it has the socket, or the
/// process that began to listen. A Dovecot that becomes a daemon begins in a process that
/// then ends.
fn listening(master: Option<u32>, began: u32, listener: Option<u64>) -> u32 {
    let sockets = master.and_then(process::socket_inodes);
    match (master, listener, sockets) {
        (Some(master), Some(listener), Some(sockets)) if sockets.contains(&listener) => master,
        _ => began,
    }
}

/// Returns the program of a listening process.
fn program(processes: &Processes, pid: u32) -> SocketOwner {
    match processes.get(pid).map(|process| process.name.as_str()) {
        Some("dovecot") => SocketOwner::Dovecot,
        Some("fantail") => SocketOwner::Fantail,
        Some(name) => SocketOwner::Other(name.to_owned()),
        None => SocketOwner::Other("a process that cannot be seen".to_owned()),
    }
}

/// Returns the owner and permissions of a socket, and the account that needs access by
/// Dovecot's defaults. A listener with its own `user` or `group` needs no such account.
fn access(gathered: &Gathered, role: SocketRole, path: &Path) -> Option<SocketAccess> {
    let settings = &gathered.loaded.settings;
    let file = fs::metadata(path).ok()?;
    let named = |setting: &Option<fantail::config::Spanned<Vec<u8>>>, default: &str| {
        let given = setting.as_ref().map(|name| &*name.value);
        String::from_utf8_lossy(given.unwrap_or(default.as_bytes())).into_owned()
    };
    let (list, name) = match role {
        SocketRole::LoginWriter => ("/etc/passwd", named(&settings.login_user, "dovenull")),
        _ => ("/etc/group", named(&settings.internal_group, "dovecot")),
    };
    let is_owned = |one: &UnixListener| {
        one.path.value.ends_with(role.name().as_bytes())
            && (one.user.is_some() || one.group.is_some())
    };
    let is_meant = settings.stats.unix_listeners.iter().any(is_owned);
    // A Dovecot in a container has a separate list of accounts.
    let list = match gathered.master {
        Some(master) => process::path_within(master, Path::new(list)),
        None => PathBuf::from(list),
    };
    Some(SocketAccess {
        mode: file.mode() & 0o777,
        user: file.uid(),
        group: file.gid(),
        needed: account(&list, &name).filter(|_| !is_meant),
        needed_name: name,
    })
}
