//! Ended runs are folded: the stream shrinks, and no total falls.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use fantail_testkit::{NatsServer, process::wait_until};
use rustix::process::Signal;

use super::{Aggregate, PATIENCE, Scraper, each_server, publishing};
use crate::{
    fleet::{
        dealt_out, dump_of_one_process,
        hosts::{GROUPED, METRICS},
        lines,
    },
    program::fantail,
};

/// An aggregate that folds each second what has ended.
fn folding(url: &str, more: &[&str]) -> Aggregate {
    let fold = ["--fold", "--fold-interval", "1s"];
    Aggregate::start_with(url, &[&fold, more].concat())
}

/// Checks the logins of a user, unless there is no answer in time.
pub(super) fn stays(aggregate: &Aggregate, user: &str, expected: u64) {
    let logins = aggregate.logins();
    let held = logins.get(user).copied();
    assert!(logins.is_empty() || held == Some(expected), "{logins:?}");
}

fn folded(aggregate: &Aggregate) -> u64 {
    let status = aggregate.status();
    status["folded_runs"]["all"].as_u64().unwrap_or(0)
}

/// Returns the subjects of the stream that have a message, as the broker lists them.
pub(super) fn subjects(broker: &NatsServer) -> Vec<String> {
    let url = broker.url();
    let mut stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    let question = r#"{"subjects_filter":">"}"#;
    let asked = format!(
        "CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB answer 1\r\n\
         PUB $JS.API.STREAM.INFO.FANTAIL_COUNTS_mail answer {}\r\n{question}\r\n",
        question.len()
    );
    stream.write_all(asked.as_bytes()).unwrap();
    let mut said = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("MSG answer") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the broker ended");
    }
    let length = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    let mut answer = vec![0; length];
    said.read_exact(&mut answer).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let subjects = answer.pointer("/state/subjects");
    let subjects = subjects.and_then(serde_json::Value::as_object);
    subjects.map_or_else(Vec::new, |subjects| subjects.keys().cloned().collect())
}

/// The oracle is one process that plays the whole recording.
#[test]
fn hosts_that_have_ended_leave_the_stream_and_not_the_sum() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let aggregate = folding(&url, &[]);
        let mut hosts = Vec::new();
        for (number, connections) in dealt_out(3).into_iter().enumerate() {
            let host = publishing(METRICS, &url, &format!("mail{number}"), &[]);
            connections.iter().for_each(|lines| host.play(lines));
            hosts.push(host);
        }
        let expected = dump_of_one_process(&hosts[0]);
        wait_until("the aggregate has all", PATIENCE, || {
            aggregate.dump() == expected
        });
        for host in &mut hosts {
            host.process.stop();
        }
        wait_until("all are folded", PATIENCE, || folded(&aggregate) == 3);
        let dump = aggregate.dump();
        assert!(dump.is_empty() || dump == expected, "{dump:#?}");
        wait_until("the messages of hosts are gone", PATIENCE, || {
            let left = subjects(&broker);
            !left.is_empty() && left.iter().all(|left| left.contains("._fold."))
        });
        // The attempts that the last one replaced are removed, too.
        wait_until("one attempt is left", PATIENCE, || {
            let subjects = subjects(&broker);
            let parts = subjects.iter().filter(|subject| !subject.ends_with(".h"));
            let attempts = parts.filter_map(|subject| subject.split('.').nth(4));
            let attempts: std::collections::BTreeSet<&str> = attempts.collect();
            attempts.len() == 1
        });
        let other = Aggregate::start(&url);
        wait_until("a new aggregate has all", PATIENCE, || {
            other.dump() == expected
        });
        wait_until("it is complete", PATIENCE, || other.is_complete());
        // A range of parts has its part of the fold.
        let halves =
            ["0-127", "128-255"].map(|parts| Aggregate::start_with(&url, &["--parts", parts]));
        wait_until("two halves have all", PATIENCE, || {
            let [one, two] = halves.each_ref().map(|half| half.address.as_str());
            let dump = fantail(&["fleet", "dump", "--host", one, "--host", two], b"");
            lines(&dump.out) == expected
        });
    });
}

/// A random number below this one. When a process is killed cannot be repeated, anyway.
fn random(below: u64) -> u64 {
    let hash = std::hash::RandomState::new();
    std::hash::BuildHasher::hash_one(&hash, 0) % below
}

/// The number of kills; `FANTAIL_KILLS` sets another one.
fn kills() -> usize {
    let wanted = std::env::var("FANTAIL_KILLS").ok();
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(6)
}

#[test]
fn totals_never_fall_while_folds_are_killed() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let mut aggregate = Aggregate::start(&url);
        let mut folds = [folding(&url, &[]), folding(&url, &[])];
        let mut scraper = Scraper {
            seen: std::collections::BTreeMap::new(),
        };
        let mut expected = 0;
        for round in 0..kills() {
            let mut host = publishing(GROUPED, &url, "mail1", &[]);
            let logins = 1 + random(4);
            host.login(&[("anna", usize::try_from(logins).unwrap())]);
            expected += logins;
            let sum = [("logins", expected), ("logins_anna", expected)];
            // It ends in order, or is killed after its counts have arrived.
            if random(2) == 0 {
                host.process.stop();
            } else {
                scraper.wait_for(&aggregate, &sum);
                host.process.signal(Signal::KILL);
                host.process.wait(PATIENCE);
            }
            let pause = Duration::from_millis(random(2_500));
            let until = std::time::Instant::now() + pause;
            while std::time::Instant::now() < until {
                scraper.scrape(&aggregate);
            }
            match folds.get_mut(usize::try_from(random(3)).unwrap()) {
                Some(fold) => {
                    fold.kill();
                    *fold = folding(&url, &[]);
                }
                None => {
                    aggregate.kill();
                    aggregate = Aggregate::start(&url);
                }
            }
            println!("round {round}: {expected}");
            scraper.wait_for(&aggregate, &sum);
        }
        // All that ended in order is folded, and once.
        wait_until("nothing that has ended is left", PATIENCE, || {
            folds.iter().chain([&aggregate]).all(|one| {
                let status = one.status();
                status["runs"]["closed"] == 0 && status["complete"] == true
            })
        });
        let sum = [("logins", expected), ("logins_anna", expected)];
        for one in folds.iter().chain([&Aggregate::start(&url)]) {
            scraper.wait_for(one, &sum);
        }
    });
}

#[test]
fn a_host_that_was_silent_for_too_long_begins_a_new_run() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let fold = folding(&url, &["--retire-after", "3s"]);
        let host = publishing(GROUPED, &url, "mail1", &[]);
        host.login(&[("anna", 3)]);
        wait_until("the counts are there", PATIENCE, || {
            fold.logins().get("logins_anna") == Some(&3)
        });
        host.process.signal(Signal::STOP);
        // Another host shows the broker's time. Its own run may be folded, too.
        let clock = publishing(GROUPED, &url, "mail2", &[]);
        wait_until("the run is folded", PATIENCE, || {
            clock.login(&[("clock", 1)]);
            let runs = subjects(&broker);
            let mut own = runs.iter().filter(|subject| subject.contains(".mail1."));
            // Its claim stays.
            own.all(|subject| subject.ends_with(".f")) && folded(&fold) > 0
        });
        stays(&fold, "logins_anna", 3);
        host.process.signal(Signal::CONT);
        wait_until("a new run counts", PATIENCE, || {
            host.login(&[("bert", 1)]);
            stays(&fold, "logins_anna", 3);
            fold.logins().contains_key("logins_bert")
        });
        // The host itself has both.
        let address = format!("http://{}", host.address);
        let own = fantail(&["fleet", "dump", "--host", &address], b"");
        let own = String::from_utf8(own.out).unwrap();
        assert!(own.contains("logins_anna\tduration\t3\t"), "{own}");
    });
}
