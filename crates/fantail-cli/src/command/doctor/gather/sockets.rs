//! The state of the stats service's sockets.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use fantail::{
    config::UnixListener,
    lint::{SocketAccess, SocketFacts, SocketOwner, SocketRole, SocketState},
};

use super::{
    Gathered, connect,
    files::{account, head},
    process::{self, Processes},
    server::{self, Serve},
};

/// The maximum size of `/proc/net/unix`, which has about 100 bytes per socket.
const LIMIT: u64 = 64 << 20;

/// Checks the sockets, and returns the `fantail serve` that listens on them.
pub(super) fn gather(gathered: &mut Gathered, processes: &Processes) -> Option<Serve> {
    let list = head(Path::new("/proc/net/unix"), LIMIT);
    let list = list.map(|text| String::from_utf8_lossy(&text).into_owned());
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
        let facts = look(gathered, processes, list.as_deref().ok(), role, &path);
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
    serve
}

fn look(
    gathered: &mut Gathered,
    processes: &Processes,
    list: Option<&str>,
    role: SocketRole,
    path: &Path,
) -> SocketFacts {
    // Counted before this program connects, to leave out its own connection.
    let clients = list.map(|list| clients(list, path));
    let state = match connect::to(path) {
        Ok(connected) => {
            let program = program(processes, connected.pid);
            let pid = connected.pid;
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

/// Returns the program of a listening process.
fn program(processes: &Processes, pid: u32) -> SocketOwner {
    match processes.get(pid).map(|process| process.name.as_str()) {
        Some("dovecot") => SocketOwner::Dovecot,
        Some("fantail") => SocketOwner::Fantail,
        Some(name) => SocketOwner::Other(name.to_owned()),
        None => SocketOwner::Other("a process that cannot be seen".to_owned()),
    }
}

/// Returns the number of connections to a socket; `list` is `/proc/net/unix`.
fn clients(list: &str, path: &Path) -> usize {
    const CONNECTED: &str = "03";
    let names: Vec<PathBuf> = [Some(path.to_owned()), fs::canonicalize(path).ok()]
        .into_iter()
        .flatten()
        .collect();
    let lines = list.lines().filter(|line| {
        // The columns are: number, references, protocol, flags, type, state, inode, path.
        let mut parts = line.split_whitespace().skip(5);
        let state = parts.next();
        let name = parts.nth(1);
        state == Some(CONNECTED)
            && name.is_some_and(|name| names.iter().any(|known| known == Path::new(name)))
    });
    lines.count()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_those_that_have_the_path_of_the_socket() {
        let list = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000: 00000003 00000000 00000000 0001 03 1 /run/dovecot/stats-writer\n\
            0000: 00000002 00000000 00010000 0001 01 2 /run/dovecot/stats-writer\n\
            0000: 00000003 00000000 00000000 0001 03 3 /run/dovecot/stats-writer2\n\
            0000: 00000003 00000000 00000000 0001 03 4\n";
        assert_eq!(clients(list, Path::new("/run/dovecot/stats-writer")), 1);
        assert_eq!(clients(list, Path::new("/run/dovecot/other")), 0);
    }
}
