//! `fantail fleet` with several real servers, and with hosts that misbehave.

mod hostile;
pub(crate) mod hosts;

use std::{fs, io::Write as _};

use serde_json::Value;

use self::hosts::{GROUPED, Host, METRICS};
use crate::program::{Run, fantail, test_data};

const CAPTURE: &str = "captures/dovecot-2.4.1.tsv";

/// Runs a command for these hosts.
fn fleet(arguments: &[&str], hosts: &[&str]) -> Run {
    let hosts = hosts.iter().flat_map(|host| ["--host", host]);
    let all: Vec<&str> = ["fleet"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(hosts)
        .collect();
    fantail(&all, b"")
}

/// Returns the dump of one process that plays the whole recording with the configuration
/// of a host.
pub(crate) fn dump_of_one_process(host: &Host) -> Vec<String> {
    let configuration = host.folder.path().join("fantail.conf");
    let capture = test_data(CAPTURE);
    let replayed = fantail(
        &[
            "replay",
            "--config",
            configuration.to_str().unwrap(),
            "--exports",
            "/dev/null",
            "--dump",
            "-",
            capture.to_str().unwrap(),
        ],
        b"",
    );
    let dump = lines(&replayed.succeeded());
    assert!(dump.len() > 50, "{dump:#?}");
    dump
}

pub(crate) fn lines(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = String::from_utf8_lossy(text)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

fn json(run: &Run) -> Value {
    serde_json::from_slice(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// The connections of a recording, dealt out to this number of hosts.
pub(crate) fn dealt_out(hosts: usize) -> Vec<Vec<Vec<u8>>> {
    #[allow(clippy::disallowed_methods, reason = "test data")]
    let capture = fs::read(test_data(CAPTURE)).unwrap();
    let mut all = vec![std::collections::BTreeMap::<usize, Vec<u8>>::new(); hosts];
    for line in capture.split_inclusive(|byte| *byte == b'\n') {
        let mut parts = line.splitn(3, |byte| *byte == b'\t');
        let connection = std::str::from_utf8(parts.next().unwrap()).unwrap();
        let connection: usize = connection.parse().unwrap();
        let text = parts.nth(1).unwrap();
        all[connection % hosts]
            .entry(connection)
            .or_default()
            .extend_from_slice(text);
    }
    all.into_iter()
        .map(|host| host.into_values().collect())
        .collect()
}

/// The oracle is one process that plays the whole recording.
#[test]
fn a_fleet_has_the_dump_of_one_process_with_all_recordings() {
    let hosts: Vec<Host> = dealt_out(3)
        .into_iter()
        .map(|connections| {
            let host = Host::start(METRICS, &[]);
            connections.iter().for_each(|lines| host.play(lines));
            host
        })
        .collect();
    let addresses: Vec<&str> = hosts.iter().map(|host| &*host.address).collect();
    let summed = fleet(&["dump"], &addresses);
    assert_eq!(lines(&summed.out), dump_of_one_process(&hosts[0]));
    assert_eq!(summed.status, Some(0), "{}", summed.err);

    // One metric alone, and in other forms.
    let one = fleet(
        &[
            "dump",
            "--metric",
            "imap_commands",
            "--dump-columns",
            "count",
            "--dump-format",
            "json",
        ],
        &addresses,
    );
    let rows = json(&one);
    let rows = rows.as_array().unwrap();
    assert!(rows.iter().all(|row| {
        row["metric_name"]
            .as_str()
            .unwrap()
            .starts_with("imap_commands")
    }));
    let scrape = fleet(&["metrics", "--format", "prometheus"], &addresses);
    let scrape = String::from_utf8(scrape.out).unwrap();
    assert!(scrape.contains("dovecot_imap_commands_total{"), "{scrape}");
}

/// Hosts with users that log in: `anna` on each, others on one.
fn with_logins() -> Vec<Host> {
    (1..=3)
        .map(|number| {
            let host = Host::start(GROUPED, &[]);
            let local = format!("local{number}");
            host.login(&[("anna", 8), (&local, 10)]);
            let rare: Vec<String> = (0..200)
                .map(|user| format!("rare{number}-{user}"))
                .collect();
            let rare: Vec<(&str, usize)> = rare.iter().map(|user| (user.as_str(), 1)).collect();
            host.login(&rare);
            host
        })
        .collect()
}

#[test]
fn top_and_look_up_ask_for_what_they_need() {
    let hosts = with_logins();
    // The clients that logged in are gone; another one keeps the host from being stale.
    let _clients: Vec<_> = hosts.iter().map(Host::client).collect();
    let addresses: Vec<&str> = hosts.iter().map(|host| &*host.address).collect();
    let top = fleet(&["top", "logins", "-k", "1"], &addresses);
    assert_eq!(
        String::from_utf8_lossy(&top.out),
        "user\tevents\tat_most\nanna\t24\t24\n"
    );
    assert_eq!((top.status, &*top.err), (Some(0), "exact\n"));
    let narrow = fleet(
        &[
            "top",
            "logins",
            "-k",
            "1",
            "--candidates",
            "1",
            "--format",
            "json",
        ],
        &addresses,
    );
    let narrow = json(&narrow);
    assert_eq!(narrow["exact"], false);
    // Each host may have others with as many as its first.
    assert_eq!(narrow["unlisted_at_most"], 30);
    let look_up = fleet(&["look-up", "user=anna"], &addresses);
    let expected = "metric\tlabels\tevents\tat_most\nlogins\tuser=anna\t24\t24\n";
    assert_eq!(String::from_utf8_lossy(&look_up.out), expected);
    assert_eq!((look_up.status, &*look_up.err), (Some(0), ""));
    let prefix = json(&fleet(
        &["look-up", "user=local", "--prefix", "--format", "json"],
        &addresses,
    ));
    assert_eq!(prefix["metrics"][0]["series"].as_array().unwrap().len(), 3);
    assert_eq!(prefix["hosts"]["complete"], true);
}

#[test]
fn hosts_that_lack_something_are_named() {
    let [one, two] = [(); 2].map(|()| Host::start(GROUPED, &[]));
    let other = Host::start(
        &GROUPED.replace("event=login", "event=login AND user=anna"),
        &[],
    );
    for host in [&one, &two, &other] {
        host.login(&[("anna", 1)]);
    }
    let _clients = [one.client(), other.client()];
    let down = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    // Another address of the same process; a name is not resolved everywhere.
    let again = one.address.replace("127.0.0.1", "0.0.0.0");
    let addresses = [&*one.address, &two.address, &other.address, &down, &again];
    let run = fleet(&["look-up", "user=anna"], &addresses);
    assert_eq!(run.status, Some(1));
    let expected = "metric\tlabels\tevents\tat_most\nlogins\tuser=anna\t2\t2\n";
    assert_eq!(String::from_utf8_lossy(&run.out), expected);
    let err = run.err;
    for (host, what) in [
        (&two.address, "stale: no process of Dovecot is connected"),
        (
            &other.address,
            "other schema: metric logins is defined differently: filter = ",
        ),
        (&down, "missing: "),
    ] {
        assert!(err.contains(&format!("{host}: {what}")), "{host}: {err}");
    }
    assert!(err.contains("repeated: the same process as "), "{err}");
    assert!(err.ends_with("3 of 5 hosts answered\n"), "{err}");
}

#[test]
fn hosts_come_from_files_sockets_and_discovery() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::File::create(&token)
        .unwrap()
        .write_all(b"secret\n")
        .unwrap();
    let token = token.to_str().unwrap();
    let host = Host::start(GROUPED, &["--http-token", token]);
    host.login(&[("anna", 3)]);
    let _client = host.client();
    let refused = fleet(&["look-up", "user=anna"], &[&host.address]);
    assert!(
        refused
            .err
            .contains("HTTP 401: the host needs its token (--token)"),
        "{}",
        refused.err
    );
    let expected = "metric\tlabels\tevents\tat_most\nlogins\tuser=anna\t3\t3\n";
    let check = |arguments: &[&str]| {
        let run = fleet(&[&["look-up", "user=anna"], arguments].concat(), &[]);
        assert_eq!(String::from_utf8_lossy(&run.out), expected, "{}", run.err);
        assert_eq!((run.status, &*run.err), (Some(0), ""));
    };
    let list = folder.path().join("hosts");
    let text = format!(
        "# mail\n\nhttp://{}  # the first\n{}\n",
        host.address, host.address
    );
    fs::File::create(&list)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    check(&["--token", token, "--hosts", list.to_str().unwrap()]);
    let socket = format!("unix://{}", host.folder.path().join("http.sock").display());
    check(&["--host", &socket]);
    let targets = format!(r#"[{{"targets": ["{}"]}}]"#, host.address);
    let discovery = hostile::serve(move |request, out| {
        assert!(!request.contains("secret"), "{request}");
        hostile::answer(out, "application/json", targets.as_bytes());
    });
    check(&[
        "--token",
        token,
        "--discover",
        &format!("http://{discovery}/hosts"),
    ]);
    let nobody = fleet(&["look-up", "user=anna"], &[]);
    let none = "error: no host to ask: name one with --host, --hosts or --discover\n";
    assert_eq!((nobody.status, &*nobody.err), (Some(1), none));
}
