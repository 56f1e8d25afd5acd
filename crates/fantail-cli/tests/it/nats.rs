//! Counts over JetStream, with real servers of NATS.

mod cluster;
mod events;
mod folds;
mod permissions;
mod ranges;
mod tls;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fantail_testkit::{
    NatsServer, nats_servers,
    process::{Process, wait_until},
};
use rustix::process::Signal;

use crate::{
    fleet::{
        dealt_out, dump_of_one_process,
        hosts::{GROUPED, Host, METRICS},
        lines,
    },
    program::fantail,
};

/// How long counts may take to arrive on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `fantail aggregate`.
struct Aggregate {
    address: String,
    process: Process,
}

impl Aggregate {
    fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    fn start_with(url: &str, more: &[&str]) -> Self {
        Self::start_as("aggregate", url, more)
    }

    fn start_as(name: &str, url: &str, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command.args(["aggregate", "--nats", url, "--http", "127.0.0.1:0"]);
        command.args(["--hostname", name]).args(more);
        let mut process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let mut said = BufReader::new(process.child().stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ");
        let address = address.and_then(|url| url.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
        Self { address, process }
    }

    /// Returns the table of all metrics, its lines sorted; none before all is read.
    fn dump(&self) -> Vec<String> {
        lines(&fantail(&["fleet", "dump", "--host", &self.address], b"").out)
    }

    /// Returns the logins of each user.
    fn logins(&self) -> BTreeMap<String, u64> {
        let dump = self.dump();
        let rows = dump.iter().filter(|line| line.starts_with("logins"));
        let rows = rows.map(|line| {
            let mut columns = line.split('\t');
            let name = columns.next().unwrap().to_owned();
            assert_eq!(columns.next(), Some("duration"));
            (name, columns.next().unwrap().parse().unwrap())
        });
        rows.collect()
    }

    /// Returns the state of the aggregate; null if it does not answer.
    fn status(&self) -> serde_json::Value {
        let url = format!("{}/api/v1/aggregate", self.address);
        let Ok(mut answer) = ureq::get(&url).call() else {
            return serde_json::Value::Null;
        };
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    fn is_complete(&self) -> bool {
        self.status()["complete"] == true
    }

    fn kill(&mut self) {
        self.process.signal(Signal::KILL);
        self.process.wait(PATIENCE);
    }
}

/// A host that publishes under a name.
fn publishing(metrics: &str, url: &str, name: &str, more: &[&str]) -> Host {
    let options = ["--nats", url, "--nats-interval", "1s", "--hostname", name];
    Host::start(metrics, &[&options, more].concat())
}

fn each_server(test: impl Fn(&Path, &Path)) {
    for program in nats_servers() {
        let folder = tempfile::tempdir().unwrap();
        test(&program, folder.path());
    }
}

/// The oracle is one process that plays the whole recording.
#[test]
fn an_aggregate_has_the_dump_of_one_process_with_all_recordings() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let aggregate = Aggregate::start(&url);
        let mut hosts = Vec::new();
        for (number, connections) in dealt_out(3).into_iter().enumerate() {
            let host = publishing(METRICS, &url, &format!("mail{number}.example.com"), &[]);
            connections.iter().for_each(|lines| host.play(lines));
            hosts.push(host);
        }
        let expected = dump_of_one_process(&hosts[0]);
        let mut last = Vec::new();
        wait_until("the aggregate has all", PATIENCE, || {
            last = aggregate.dump();
            last == expected
        });
        wait_until("the sum is complete", PATIENCE, || aggregate.is_complete());
        // A new one reads the same from the stream, and so it does after all hosts ended.
        let other = Aggregate::start(&url);
        wait_until("another aggregate has all", PATIENCE, || {
            other.dump() == expected
        });
        for host in &mut hosts {
            host.process.stop();
        }
        let third = Aggregate::start(&url);
        wait_until("a third one has all", PATIENCE, || third.dump() == expected);
        wait_until("the sum is complete", PATIENCE, || third.is_complete());
        let scrape = ureq::get(&format!("{}/metrics", third.address)).call();
        let mut scrape = scrape.unwrap();
        assert_eq!(scrape.headers()["fantail-complete"], "yes");
        let text = scrape.body_mut().read_to_string().unwrap();
        assert!(text.contains("dovecot_imap_commands_total{"), "{text}");
        assert!(
            text.contains("fantail_aggregate_runs{state=\"closed\"} 3"),
            "{text}"
        );
    });
}

/// Counts what each user has at least, and checks that nothing falls.
#[derive(Default)]
struct Scraper {
    seen: BTreeMap<String, u64>,
}

impl Scraper {
    fn scrape(&mut self, aggregate: &Aggregate) -> &BTreeMap<String, u64> {
        let now = aggregate.logins();
        // Before all is read there is no answer.
        if !now.is_empty() {
            for (name, before) in &self.seen {
                let events = now.get(name).copied().unwrap_or(0);
                assert!(events >= *before, "{name} falls from {before} to {events}");
            }
            self.seen = now;
        }
        &self.seen
    }

    fn wait_for(&mut self, aggregate: &Aggregate, expected: &[(&str, u64)]) {
        let expected: BTreeMap<String, u64> = expected
            .iter()
            .map(|(name, events)| ((*name).to_owned(), *events))
            .collect();
        wait_until(&format!("{expected:?}"), PATIENCE, || {
            *self.scrape(aggregate) == expected
        });
    }
}

#[test]
fn totals_never_fall_while_everything_is_killed() {
    each_server(|program, folder| {
        let mut broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let aggregate = Aggregate::start(&url);
        let mut scraper = Scraper::default();
        let state = folder.join("state");
        let state = ["--state", state.to_str().unwrap()];
        let first = publishing(GROUPED, &url, "mail1", &[]);
        let mut second = publishing(GROUPED, &url, "mail2", &state);
        first.login(&[("anna", 3), ("bert", 1)]);
        second.login(&[("anna", 2)]);
        let sum = [("logins", 6), ("logins_anna", 5), ("logins_bert", 1)];
        scraper.wait_for(&aggregate, &sum);

        // The host ends and comes back with its state: what it had is not added again.
        second.process.stop();
        second = publishing(GROUPED, &url, "mail2", &state);
        second.login(&[("anna", 1)]);
        let sum = [("logins", 7), ("logins_anna", 6), ("logins_bert", 1)];
        scraper.wait_for(&aggregate, &sum);
        let local = fantail(
            &[
                "fleet",
                "dump",
                "--host",
                &format!("http://{}", second.address),
            ],
            b"",
        );
        let local = String::from_utf8(local.out).unwrap();
        assert!(
            local.contains("logins_anna\tduration\t3\t"),
            "the state is lost: {local}"
        );

        // The host is killed.
        second.process.signal(Signal::KILL);
        second.process.wait(PATIENCE);
        second = publishing(GROUPED, &url, "mail2", &state);
        second.login(&[("anna", 4)]);
        let sum = [("logins", 11), ("logins_anna", 10), ("logins_bert", 1)];
        scraper.wait_for(&aggregate, &sum);

        broker_and_aggregate_are_killed(&mut broker, aggregate, &mut scraper, &first);
    });
}

/// The host has 3 logins of `anna` and 1 of `bert`, others 7 of `anna`.
fn broker_and_aggregate_are_killed(
    broker: &mut NatsServer,
    mut aggregate: Aggregate,
    scraper: &mut Scraper,
    first: &Host,
) {
    let url = broker.url();
    // The broker is killed; what is counted meanwhile arrives later.
    broker.kill();
    first.login(&[("carl", 2)]);
    broker.restart();
    let sum = [
        ("logins", 13),
        ("logins_anna", 10),
        ("logins_bert", 1),
        ("logins_carl", 2),
    ];
    scraper.wait_for(&aggregate, &sum);

    // The aggregate is killed.
    aggregate.process.signal(Signal::KILL);
    aggregate.process.wait(PATIENCE);
    aggregate = Aggregate::start(&url);
    scraper.wait_for(&aggregate, &sum);

    // Counts start again from zero: the total does not.
    let socket = first.folder.path().join("run/stats-reader");
    fantail(
        &["stats", "--socket", socket.to_str().unwrap(), "reset"],
        b"",
    )
    .succeeded();
    first.login(&[("bert", 5)]);
    let sum = [
        ("logins", 18),
        ("logins_anna", 10),
        ("logins_bert", 6),
        ("logins_carl", 2),
    ];
    scraper.wait_for(&aggregate, &sum);
    let again = Aggregate::start(&url);
    scraper.wait_for(&again, &sum);
    wait_until("the sum is complete", PATIENCE, || again.is_complete());
}
