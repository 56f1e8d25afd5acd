//! Aggregates that share the parts of a cluster.

use fantail_testkit::{NatsServer, process::wait_until};

use super::{Aggregate, PATIENCE, each_server, publishing};
use crate::{
    fleet::{
        dealt_out, dump_of_one_process,
        hosts::{GROUPED, METRICS},
        lines,
    },
    program::{Run, fantail},
};

/// Asks these aggregates.
fn fleet(arguments: &[&str], aggregates: &[&Aggregate]) -> Run {
    let hosts = aggregates.iter().map(|one| one.address.as_str());
    let hosts = hosts.flat_map(|host| ["--host", host]);
    let all: Vec<&str> = ["fleet"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(hosts)
        .collect();
    fantail(&all, b"")
}

fn of_parts(url: &str, parts: &str) -> Aggregate {
    Aggregate::start_with(url, &["--parts", parts])
}

/// The oracle is one process that plays the whole recording.
#[test]
fn aggregates_with_all_parts_together_are_one_source() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let ranges = ["0-63", "64-127", "128-239", "240-255"];
        let ranges = ranges.map(|parts| of_parts(&url, parts));
        let all: Vec<&Aggregate> = ranges.iter().collect();
        let mut hosts = Vec::new();
        for (number, connections) in dealt_out(2).into_iter().enumerate() {
            let host = publishing(METRICS, &url, &format!("mail{number}"), &[]);
            connections.iter().for_each(|lines| host.play(lines));
            hosts.push(host);
        }
        let expected = dump_of_one_process(&hosts[0]);
        let mut last = Vec::new();
        wait_until("the ranges have all", PATIENCE, || {
            last = lines(&fleet(&["dump"], &all).out);
            last == expected
        });
        for (one, parts) in ranges.iter().zip(["0-63", "64-127", "128-239", "240-255"]) {
            wait_until("a range is complete", PATIENCE, || one.is_complete());
            let status = one.status();
            assert_eq!(status["parts"], parts);
            // It has received no parts of others.
            let url = format!("{}/metrics", one.address);
            let scrape = ureq::get(&url).call().unwrap();
            assert_eq!(scrape.headers()["fantail-parts"], parts);
        }
        let series = |one: &Aggregate| one.status()["series"].as_u64().unwrap();
        let whole = Aggregate::start(&url);
        wait_until("the whole is read", PATIENCE, || whole.is_complete());
        assert_eq!(ranges.iter().map(series).sum::<u64>(), series(&whole));
        let run = fleet(&["dump"], &all);
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""));

        // A missing range is named, and so are parts that are asked for twice.
        let run = fleet(&["dump"], &all[1..]);
        assert_eq!(run.status, Some(1));
        assert!(run.err.contains("cluster mail: missing"), "{}", run.err);
        assert!(run.err.contains("the parts 0-63 answered"), "{}", run.err);
        let run = fleet(&["dump"], &[&whole, all[0]]);
        assert_eq!(run.status, Some(1));
        assert!(
            run.err.contains("repeated: has some of the parts"),
            "{}",
            run.err
        );
    });
}

#[test]
fn the_largest_values_of_all_parts_are_exact() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, "");
        let url = broker.url();
        let ranges = ["0-127", "128-255"].map(|parts| of_parts(&url, parts));
        let all: Vec<&Aggregate> = ranges.iter().collect();
        let host = publishing(GROUPED, &url, "mail1", &[]);
        let users: Vec<(String, usize)> = (1..=60).map(|n| (format!("user{n}"), n)).collect();
        let users: Vec<(&str, usize)> = users.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        host.login(&users);
        // Fewer candidates than values: each range knows of values that it does not send.
        let top = [
            "top",
            "logins",
            "--field",
            "user",
            "-k",
            "5",
            "--candidates",
            "5",
        ];
        let expected = "user\tevents\tat_most\nuser60\t60\t60\nuser59\t59\t59\n\
                        user58\t58\t58\nuser57\t57\t57\nuser56\t56\t56\n";
        wait_until("the largest are there", PATIENCE, || {
            fleet(&top, &all).out == expected.as_bytes()
        });
        let run = fleet(&top, &all);
        assert_eq!((run.status, run.err.as_str()), (Some(0), "exact\n"));
    });
}
