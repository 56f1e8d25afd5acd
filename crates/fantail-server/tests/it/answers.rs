//! The memory of answers: streamed, in pages, and refused when it is used up.

use std::io::Read as _;

use serde_json::Value;

use crate::fixture::{Fixture, Reader, ask, eventually, in_own_process, split_answer};

const GROUPED: &str = "metric one {\n  filter = event=a\n  group_by = user\n}\n\
    metric two {\n  filter = event=a\n  fields = size\n}\n";

/// A server with these series in the first metric, and this memory.
fn grouped(series: usize, memory: usize) -> Fixture {
    let fixture = Fixture::with(GROUPED, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
        // A third of it is for answers at most.
        options.limits.memory = memory;
        options.workers = 1;
    });
    let padding = if series > 10 {
        "-".repeat(60)
    } else {
        String::new()
    };
    let events =
        (0..series).map(|user| format!("EVENT\t0\t0\t1\t1\t0\tna\tSuser\tuser{user}{padding}\n"));
    fixture.send(&events.collect::<String>());
    fixture
}

fn json(fixture: &Fixture, query: &str) -> Value {
    let (head, body) = fixture.get(&format!("/api/v1/snapshot{query}"), "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    serde_json::from_slice(&body).unwrap()
}

/// The names of the metrics of an answer, each with the users of its series.
fn users(json: &Value) -> Vec<(String, Vec<String>)> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let metrics = list(&json["metrics"]);
    let user = |series: &Value| {
        let user = series.pointer("/labels/0/value");
        user.map_or("", |user| user.as_str().unwrap()).to_owned()
    };
    let one = |metric: &Value| {
        let name = metric["name"].as_str().unwrap().to_owned();
        (name, list(&metric["series"]).iter().map(user).collect())
    };
    metrics.iter().map(one).collect()
}

#[test]
fn a_snapshot_is_sent_while_it_is_made() {
    let fixture = grouped(5_000, 1 << 30);
    let mut stream = fixture.scraper();
    ask(&mut stream, "/api/v1/snapshot", "");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let (head, body) = split_answer(&answer);
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        json["metrics"][0]["series"].as_array().unwrap().len(),
        5_001
    );
}

#[test]
fn a_snapshot_comes_in_pages() {
    let fixture = grouped(4, 1 << 30);
    let whole = users(&json(&fixture, ""));
    assert_eq!(whole[0].1, ["", "user0", "user1", "user2", "user3"]);
    assert_eq!(json(&fixture, "").get("next"), None);
    let only = json(&fixture, "?metric=two");
    assert_eq!(users(&only), [("two".to_owned(), vec![String::new()])]);
    // All pages together are the whole.
    let mut pages: Vec<(String, Vec<String>)> = Vec::new();
    let mut query = "?limit=2".to_owned();
    let mut count = 0;
    loop {
        let page = json(&fixture, &query);
        count += 1;
        for (name, users) in users(&page) {
            match pages.last_mut() {
                Some((last, all)) if *last == name => all.extend(users),
                _ => pages.push((name, users)),
            }
        }
        let Some(next) = page.get("next") else { break };
        query = format!("?limit=2&after={}", next.as_str().unwrap());
    }
    assert_eq!((pages, count), (whole, 3));
    let (head, _) = fixture.get("/api/v1/snapshot?after=x", "");
    assert!(head.starts_with("http/1.1 400"), "{head}");
}

#[test]
fn the_series_with_the_most_events_come_with_their_parents() {
    let blocks = "metric m {\n  filter = event=*\n  group_by = user size\n}\n";
    let fixture = Fixture::with(blocks, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let times = [("a", 1, 2), ("a", 2, 1), ("b", 1, 3), ("b", 2, 4)];
    let lines = times.map(|(user, size, times)| {
        format!("EVENT\t0\t0\t1\t1\t0\tna\tSuser\t{user}\tIsize\t{size}\n").repeat(times)
    });
    fixture.send(&lines.concat());
    let snapshot = json(&fixture, "?busiest=2&quantiles=true");
    let series = snapshot["metrics"][0]["series"].as_array().unwrap();
    let of = |one: &Value| {
        let labels = one["labels"].as_array().unwrap().iter();
        let labels: Vec<_> = labels
            .map(|label| label["value"].as_str().unwrap())
            .collect();
        (
            labels.join("/"),
            one["duration_us"]["count"].as_u64().unwrap(),
        )
    };
    let found: Vec<_> = series.iter().map(of).collect();
    let expected = [("", 10), ("b", 7), ("b/2", 4)];
    assert_eq!(
        found,
        expected.map(|(labels, count)| (labels.to_owned(), count))
    );
    let quantiles = |at: usize| series[at]["duration_us"]["quantiles"].as_array();
    assert_eq!(quantiles(0).unwrap().len(), 21);
    assert!(quantiles(1).is_none());
}

/// A scraper that does not read holds the memory; others are told to come later,
/// and are served once it is gone.
#[test]
fn answers_without_memory_are_refused_for_a_while() {
    in_own_process(|| {
        // Some 40,000 series find memory: an answer of 10 MB, more than sockets hold.
        let fixture = grouped(90_000, 8 << 20);
        let mut slow = fixture.scraper();
        ask(&mut slow, "/metrics", "");
        let mut byte = [0];
        slow.read_exact(&mut byte).unwrap();
        let head = |path: &str| fixture.get(path, "").0;
        for path in ["/metrics", "/api/v1/snapshot"] {
            let head = head(path);
            assert!(head.starts_with("http/1.1 503"), "{head}");
            assert!(head.contains("retry-after: 10"), "{head}");
        }
        assert!(head("/healthz").starts_with("http/1.1 200"));
        let mut reader: Reader = fixture.reader();
        for dump in ["DUMP\tcount", "DUMP-RESET\tcount"] {
            let line = reader.ask(dump).unwrap();
            let name = dump.split('\t').next().unwrap();
            let start = format!("-{name}: answers that other clients have not read");
            assert!(line.starts_with(&start), "{line}");
        }
        drop(slow);
        // Nothing was reset.
        let mut counted = 0;
        eventually("the memory is free again", || {
            let (head, body) = fixture.get("/metrics", "");
            let text = String::from_utf8(body).unwrap();
            let lines = text.lines();
            let counts = lines.filter(|line| line.starts_with("dovecot_one_total"));
            let count = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
            counted = counts.map(count).sum();
            head.starts_with("http/1.1 200")
        });
        assert_eq!(counted, 90_000);
    });
}

/// A client of HTTP/1.0 gets an answer as a whole, or none.
#[test]
fn a_whole_answer_that_needs_too_much_memory_is_refused() {
    let fixture = grouped(40_000, 24 << 20);
    let get = |path: &str| {
        let mut stream = fixture.scraper();
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        split_answer(&answer).0
    };
    let head = get("/api/v1/snapshot");
    assert!(head.starts_with("http/1.0 503"), "{head}");
    let head = get("/api/v1/snapshot?limit=10");
    assert!(head.starts_with("http/1.0 200"), "{head}");
}
