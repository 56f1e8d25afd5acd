//! Events over JetStream: exporters publish, `fantail collect` writes each event once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fantail_testkit::{
    NatsServer,
    process::{Process, wait_until},
};
use rustix::process::Signal;

use super::{PATIENCE, each_server};
use crate::{fleet::hosts::Host, program::fantail};

/// Names that would choose other subjects, if they were not encoded.
const HOSTILE: &str = "mail2.*.>";

/// A configuration with an exporter, and a metric of logins that exports to it.
fn exporting(url: &str, exporter: &str, more: &str) -> String {
    format!(
        "dovecot_config_version = 2.4.1\n\
         event_exporter {exporter} {{\n  driver = nats\n  nats_url = {url}\n  \
         format = ndjson\n  retry_longest = 100 ms\n{more}}}\n\
         metric logins {{\n  filter = event=login\n  exporter = {exporter}\n}}\n"
    )
}

/// An exporter whose events survive.
fn spooling(url: &str, spool: &Path) -> String {
    let spool = spool.display();
    let more = format!("  delivery = acknowledged\n  spool_path = {spool}\n");
    exporting(url, "audit", &more)
}

fn host(config: &str, name: &str) -> Host {
    Host::start(config, &["--hostname", name])
}

/// Logs users in whose names have a prefix and a number; returns their names.
fn log_in(host: &Host, prefix: &str, users: usize) -> BTreeSet<String> {
    let names: Vec<String> = (0..users)
        .map(|number| format!("{prefix}{number}"))
        .collect();
    let logins: Vec<(&str, usize)> = names.iter().map(|name| (&**name, 1)).collect();
    host.login(&logins);
    names.into_iter().collect()
}

/// A collection into a file.
struct Collection {
    url: String,
    path: PathBuf,
}

impl Collection {
    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command.args(["collect", "--nats", &self.url, "--hostname", "collect"]);
        command
            .args(["--interval", "50ms", "--file"])
            .arg(&self.path);
        command.args(more);
        command
    }

    fn start(&self) -> Process {
        Process::start_with(&self.command(&[]), |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        })
    }

    /// Collects what the stream has; returns what the program says.
    fn rest(&self) -> String {
        let output = self.command(&["--once"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    /// Returns the users in the file, with the number of their events.
    #[allow(clippy::disallowed_methods, reason = "a small file of a test")]
    fn users(&self) -> BTreeMap<String, usize> {
        let Ok(text) = fs::read_to_string(&self.path) else {
            return BTreeMap::new();
        };
        let mut users = BTreeMap::new();
        // The last line may be incomplete.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            *users
                .entry(event["user"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        users
    }

    fn wait_for(&self, expected: &BTreeSet<String>) {
        wait_until("all events are in the file", PATIENCE, || {
            let users = self.users();
            expected.iter().all(|user| users.contains_key(user))
        });
    }

    #[track_caller]
    fn has_each_once(&self, expected: &BTreeSet<String>) {
        let users = self.users();
        let twice: Vec<_> = users.iter().filter(|(_, events)| **events > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let users: BTreeSet<String> = users.into_keys().collect();
        assert_eq!(users, *expected);
    }
}

/// The number at the start of a part of the summary, such as `repeated`.
fn number_of(summary: &str, what: &str) -> usize {
    let line = summary.lines().last().unwrap();
    let mut parts = line.split([',', ';']);
    let part = parts.find(|part| part.contains(what));
    let part = part.unwrap_or_else(|| panic!("no {what}: {summary}"));
    part.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn each_event_is_collected_once_while_everything_is_killed() {
    each_server(|program, folder| {
        let mut broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let collection = Collection {
            url: url.clone(),
            path: folder.join("events"),
        };
        let mut collector = collection.start();
        let mut first = host(&spooling(&url, &folder.join("spool1")), "mail1");
        let second = host(&spooling(&url, &folder.join("spool2")), "mail2.example.com");
        let mut expected = BTreeSet::new();
        for round in 0..4 {
            expected.extend(log_in(&first, &format!("a{round}-"), 3_000));
            // Wherever it is, with a file that may be longer than its position.
            collector.signal(Signal::KILL);
            collector.wait(PATIENCE);
            expected.extend(log_in(&second, &format!("b{round}-"), 1_000));
            collector = collection.start();
            if round == 2 {
                broker.kill();
                expected.extend(log_in(&first, "broker-", 2_000));
                broker.restart();
            }
        }
        collection.wait_for(&expected);

        // What is in the spool of a killed host is sent by the next one: with the same ids.
        first.process.signal(Signal::KILL);
        first.process.wait(PATIENCE);
        let third = host(&spooling(&url, &folder.join("spool1")), "mail1");
        expected.extend(log_in(&third, "c", 1_000));
        collection.wait_for(&expected);
        collector.signal(Signal::TERM);
        collector.wait(PATIENCE);
        let summary = collection.rest();
        collection.has_each_once(&expected);
        assert_eq!(number_of(&summary, "collected"), expected.len());
        assert_eq!(number_of(&summary, "dropped"), 0);
        assert_eq!(number_of(&summary, "missing"), 0);

        // Standard output has them, too.
        let output = fantail(&["collect", "--nats", &url, "--once", "--file", "-"], b"");
        let lines = output.out.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(lines, expected.len());
    });
}

#[test]
fn events_that_were_dropped_are_reported() {
    each_server(|program, folder| {
        let mut broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let collection = Collection {
            url: url.clone(),
            path: folder.join("events"),
        };
        // The stream is created.
        collection.rest();
        let host = host(&exporting(&url, "audit", "  queue_size = 100\n"), "mail1");
        let mut expected = log_in(&host, "first", 10);
        wait_until("the first events are there", PATIENCE, || {
            collection.rest();
            collection.users().len() == expected.len()
        });
        broker.kill();
        let all = log_in(&host, "lost", 1_000);
        broker.restart();
        expected.extend(all);
        let mut summary = String::new();
        wait_until("all events are there, or counted", PATIENCE, || {
            // The next message tells what was dropped before.
            expected.extend(log_in(&host, &format!("next{}-", expected.len()), 1));
            (0..20).any(|_| {
                summary = collection.rest();
                let dropped = number_of(&summary, "dropped");
                dropped > 0 && number_of(&summary, "collected") + dropped == expected.len()
            })
        });
        assert_eq!(number_of(&summary, "collected"), collection.users().len());
    });
}

#[test]
fn no_name_chooses_a_subject() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let collection = Collection {
            url: url.clone(),
            path: folder.join("events"),
        };
        collection.rest();
        let config = exporting(&url, &format!("\"{HOSTILE}\""), "");
        let host = host(&config, HOSTILE);
        let mut logins = String::from("VERSION\tstats-client\t4\t0\n");
        // A line feed is escaped in the protocol.
        let users = [HOSTILE.to_owned(), "fantail.e1.mail.mail2.audit".to_owned()];
        for user in users.iter().map(String::as_str).chain(["a\u{1}nb"]) {
            writeln!(logins, "EVENT\t0\t0\t1\t1\t0\tnlogin\tSuser\t{user}").unwrap();
        }
        host.play(logins.as_bytes());
        let mut expected = BTreeSet::from(users);
        expected.insert("a\nb".to_owned());
        wait_until("all events are there", PATIENCE, || {
            collection.rest();
            collection.users().len() == expected.len()
        });
        collection.has_each_once(&expected);
        #[allow(clippy::disallowed_methods, reason = "a small file of a test")]
        let position = fs::read_to_string(folder.join("events.position")).unwrap();
        let sources = position
            .lines()
            .filter_map(|line| line.strip_prefix("source "));
        // RFC 4648 has these, in upper case and with padding.
        let encoded = "=nvqws3bsfyvc4pq";
        let expected = format!("fantail.e1.mail.{encoded}.{encoded}");
        assert_eq!(sources.collect::<Vec<_>>(), [expected]);
    });
}
