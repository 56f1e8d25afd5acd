//! The end of a server, and the next one in its place.

use std::{fs, io::Write as _, os::unix::net::UnixStream, time::Duration};

use crate::fixture::{ALL, Fixture, VERSION, Writer, event};

const EXPORTING: &str = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
    event_exporter out {\n  format = json\n  driver = file\n  file_path = FILE\n}\n\
    metric all {\n  filter = event=*\n  fields = x\n  exporter = out\n  \
    exporter_include = name fields\n}\n";

fn exporting(folder: &std::path::Path) -> String {
    EXPORTING.replace("FILE", &folder.join("out").display().to_string())
}

#[test]
fn exports_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = exporting(folder.path());
    let fixture = Fixture::within(folder, &configuration, |_| {});
    fixture.send(&(event("a", 1) + &event("b", 2)));
    let folder = fixture.stop();
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    let out = fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!(
        out,
        "{\"event\":\"a\",\"fields\":{\"x\":1}}\n{\"event\":\"b\",\"fields\":{\"x\":2}}\n"
    );
}

/// Clients that have connected and sent are read to the end after the order to
/// stop.
#[test]
fn what_clients_have_sent_is_read_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = exporting(folder.path());
    let fixture = Fixture::within(folder, &configuration, |options| {
        options.state = Some(options.config.with_file_name("state"));
    });
    let burst = format!("{VERSION}{}", event("a", 1).repeat(5_000));
    let streams: Vec<UnixStream> = (0..20)
        .map(|_| {
            let mut stream = UnixStream::connect(fixture.path("run/stats-writer")).unwrap();
            stream.set_nonblocking(true).unwrap();
            // As much as the socket takes, without waiting for the handshake.
            let taken = stream.write(burst.as_bytes()).unwrap();
            assert!(taken > VERSION.len());
            stream
        })
        .collect();
    drop(streams);
    let folder = fixture.stop();
    let again = Fixture::within(folder, &configuration, |options| {
        options.state = Some(options.config.with_file_name("state"));
    });
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    let out = fs::read_to_string(again.path("out")).unwrap();
    let exported = out.lines().count() as u64;
    assert!(exported > 0);
    // All that was counted was exported, and is known after the restart.
    assert_eq!(again.count(), exported);
}

/// Login processes once never came back after the stats process was gone.
#[test]
fn clients_come_back_to_the_next_server() {
    let state = |options: &mut fantail_server::ServerOptions| {
        options.state = Some(options.config.with_file_name("state"));
    };
    let fixture = Fixture::within(tempfile::tempdir().unwrap(), ALL, state);
    let mut stays = fixture.writer();
    stays.send(VERSION.as_bytes());
    fixture.send(&event("a", 1));
    let folder = fixture.stop();
    stays.wait_for_the_end();
    assert!(!folder.path().join("run/stats-writer").exists());
    let fixture = Fixture::within(folder, ALL, state);
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 2);
    assert_eq!(fixture.logged(), "");
}

#[test]
fn a_killed_server_leaves_sockets_that_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("run")).unwrap();
    let path = folder.path().join("run/stats-writer");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(UnixStream::connect(&path).is_err());
    let fixture = Fixture::within(folder, ALL, |_| {});
    assert_eq!(Writer::connect(&path).filter, "(event=\"*\")");
    // A socket that another server uses is not replaced.
    let log = fantail_server::Log::new(|_| {});
    let options = fantail_server::ServerOptions::new(fixture.path("fantail.conf"), log);
    let refused = fantail_server::Server::start(options).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("another process answers there")
    );
    fixture.send(&event("a", 1));
}

#[test]
fn a_state_that_cannot_be_read_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(folder.path().join("state"), b"nonsense").unwrap();
    let fixture = Fixture::within(folder, ALL, |options| {
        options.state = Some(options.config.with_file_name("state"));
        options.state_interval = Duration::from_secs(1);
    });
    assert!(
        fixture
            .logged()
            .contains("this is no saved state; all counts start at zero")
    );
    assert!(fixture.path("state.unreadable").exists());
    fixture.send(&event("a", 1));
    crate::fixture::eventually("the state is saved", || fixture.path("state").exists());
}

/// A state that cannot be saved is no surprise at the end.
#[test]
fn a_state_that_cannot_be_saved_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/state");
    let fixture = Fixture::within(folder, ALL, |options| {
        options.state = Some(path.clone());
    });
    let why = format!("cannot write {}: No such file or directory", path.display());
    assert!(fixture.logged().contains(&why), "{}", fixture.logged());
}

#[test]
fn a_start_removes_what_killed_servers_have_left_of_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("state.123.new");
    fs::File::create(&left).unwrap();
    let fixture = Fixture::within(folder, ALL, |options| {
        options.state = Some(options.config.with_file_name("state"));
    });
    assert!(!left.exists());
    assert_eq!(fixture.logged(), "");
}

#[test]
fn the_end_says_what_it_waits_for_and_what_is_lost() {
    let configuration = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
        event_exporter out {\n  format = json\n  driver = unix\n  \
        unix_path = /nonexistent/socket\n}\n\
        metric all {\n  filter = event=*\n  exporter = out\n}\n";
    let fixture = Fixture::new(configuration);
    fixture.send(&event("a", 1));
    let log = std::sync::Arc::clone(&fixture.log);
    fixture.stop();
    let log = log.lock().unwrap().join("\n");
    let expected = [
        "stopping, within 2 s: reading what 0 clients have sent",
        "waiting for exporters",
        "out has 1 events, cannot connect to",
        "exporter out: 1 events could not be sent before the end and are lost",
        "stopped",
    ];
    for part in expected {
        assert!(log.contains(part), "{part}: {log}");
    }
}

/// A full queue of connections once made the next server wait for ever.
#[test]
fn a_socket_whose_owner_does_not_accept_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("run")).unwrap();
    let path = folder.path().join("run/stats-writer");
    let owner = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut waiting = Vec::new();
    loop {
        // As many as the queue takes.
        let client = socket_that_does_not_wait();
        if nix::sys::socket::connect(
            std::os::fd::AsRawFd::as_raw_fd(&client),
            &nix::sys::socket::UnixAddr::new(&path).unwrap(),
        )
        .is_err()
        {
            break;
        }
        waiting.push(client);
    }
    let configuration = folder.path().join("fantail.conf");
    let text = format!("{ALL}base_dir = {}/run\n", folder.path().display());
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&configuration, text).unwrap();
    let options =
        fantail_server::ServerOptions::new(configuration, fantail_server::Log::new(|_| {}));
    let refused = fantail_server::Server::start(options).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("another process answers there"),
        "{refused}"
    );
    drop(owner);
}

fn socket_that_does_not_wait() -> std::os::fd::OwnedFd {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let flags = SockFlag::SOCK_NONBLOCK;
    socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap()
}

/// The socket is made under this name; other files keep theirs.
#[test]
fn files_beside_a_socket_are_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir_all(&run).unwrap();
    let configuration = folder.path().join("fantail.conf");
    let text = format!("{ALL}base_dir = {}\n", run.display());
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&configuration, text).unwrap();
    let start = || {
        let log = fantail_server::Log::new(|_| {});
        let options = fantail_server::ServerOptions::new(&configuration, log);
        fantail_server::Server::start(options)
    };
    let beside = run.join("stats-writer.new");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&beside, "precious").unwrap();
    let refused = start().unwrap_err().to_string();
    assert!(refused.contains("stats-writer.new"), "{refused}");
    assert!(beside.exists());
    fs::remove_file(&beside).unwrap();
    // Left by a server that was killed.
    drop(std::os::unix::net::UnixListener::bind(&beside).unwrap());
    drop(start().unwrap());
}
