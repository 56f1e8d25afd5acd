//! Metrics that are pushed, to receivers of all kinds.

mod otlp;
mod prometheus;
mod receiver;

use std::time::Duration;

use fantail_server::{PushOptions, PushProtocol, ServerOptions};

use self::receiver::{Receiver, Reply, Series};
use crate::fixture::{ALL, Fixture, event, eventually};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// As short as a server allows.
const SHORT: Duration = Duration::from_secs(1);

fn pushing(url: &str, interval: Duration) -> impl FnOnce(&mut ServerOptions) {
    let mut push = PushOptions::new(url, PushProtocol::RemoteWrite);
    push.interval = interval;
    move |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
        options.hostname = b"mx1".to_vec();
        options.push = Some(push);
    }
}

/// Returns a sample of fantail itself.
fn own(fixture: &Fixture, name: &str) -> u64 {
    let (_, body) = fixture.get("/metrics?format=prometheus", "");
    let text = String::from_utf8(body).unwrap();
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let (_, value) = lines.find(|(sample, _)| *sample == name).expect(name);
    value.parse().unwrap()
}

fn requests(fixture: &Fixture, result: &str) -> u64 {
    own(
        fixture,
        &format!("fantail_push_requests_total{{result=\"{result}\"}}"),
    )
}

fn find<'s>(series: &'s [Series], name: &str) -> Vec<&'s Series> {
    let named = series
        .iter()
        .filter(|one| one.label("__name__") == Some(name));
    named.collect()
}

#[test]
fn a_request_says_what_it_is() {
    let receiver = Receiver::start(|_| Reply::status(204));
    let fixture = Fixture::with(ALL, pushing(&receiver.url, LONG));
    let request = receiver.next();
    for header in [
        "content-type: application/x-protobuf",
        "content-encoding: snappy",
        "x-prometheus-remote-write-version: 0.1.0",
    ] {
        assert!(request.has(header), "{header}: {:?}", request.headers);
    }
    let series = request.series();
    let [all] = find(&series, "dovecot_all_total")[..] else {
        panic!("{series:?}");
    };
    assert_eq!(all.label("job"), Some("fantail"));
    assert_eq!(all.label("instance"), Some("mx1"));
    let bits = all.value.to_bits();
    assert_eq!(bits, 0_f64.to_bits());
    eventually("it was counted", || requests(&fixture, "accepted") == 1);
    let samples = "fantail_push_samples_total{result=\"accepted\"}";
    assert_eq!(own(&fixture, samples), series.len() as u64);
    let complete = "fantail_push_snapshots_total{result=\"complete\"}";
    eventually("the push ended", || own(&fixture, complete) == 1);
}

/// A request that is refused is not sent again, and the next snapshot is newer.
#[test]
fn an_error_of_the_client_is_not_repeated() {
    for status in [400, 404, 401] {
        let receiver = Receiver::start(move |_| Reply::status(status));
        let fixture = Fixture::with(ALL, pushing(&receiver.url, SHORT));
        let times: Vec<i64> = (0..3).map(|_| receiver.next().time()).collect();
        assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
        assert_eq!(requests(&fixture, "failed"), 0);
        assert!(requests(&fixture, "refused") >= 2);
        assert_eq!(requests(&fixture, "accepted"), 0);
        let logged = fixture.logged();
        let told = format!("metrics are not pushed: the target refused it: status {status}");
        assert_eq!(logged.matches(&told).count(), 1, "{logged}");
    }
}

/// The same request comes again, until the receiver takes it.
#[test]
fn an_error_of_the_server_is_repeated() {
    let receiver = Receiver::start(|number| match number {
        0 => Reply::status(500),
        1 => Reply::Close,
        2 => Reply::status(503),
        _ => Reply::status(200),
    });
    let fixture = Fixture::with(ALL, pushing(&receiver.url, LONG));
    let first = receiver.next();
    for _ in 0..3 {
        assert_eq!(receiver.next().body, first.body);
    }
    eventually("it was accepted", || requests(&fixture, "accepted") == 1);
    assert_eq!(requests(&fixture, "failed"), 3);
    let logged = fixture.logged();
    assert_eq!(logged.matches("metrics are not pushed").count(), 1);
    assert_eq!(logged.matches("metrics are pushed again").count(), 1);
}

/// A receiver that is slower than the interval gets the newest snapshot.
#[test]
fn the_time_that_a_receiver_asks_for_is_waited() {
    let receiver = Receiver::start(|number| match number {
        0 => Reply::Status(429, "Retry-After: 3\r\n"),
        _ => Reply::status(200),
    });
    let fixture = Fixture::with(ALL, pushing(&receiver.url, SHORT));
    let first = receiver.next();
    fixture.send(&event("a", 1));
    let second = receiver.next();
    assert!(second.time() >= first.time() + 3_000);
    let series = second.series();
    let bits = find(&series, "dovecot_all_total")[0].value.to_bits();
    assert_eq!(bits, 1_f64.to_bits());
}

#[test]
fn a_receiver_that_hangs_delays_neither_mail_nor_the_end() {
    let receiver = Receiver::start(|_| Reply::Silence);
    let fixture = Fixture::with(ALL, pushing(&receiver.url, LONG));
    let first = receiver.next();
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 1);
    // After the time limit of a request.
    assert_eq!(receiver.next().body, first.body);
    let log = std::sync::Arc::clone(&fixture.log);
    fixture.stop();
    let logged = log.lock().unwrap().join("\n");
    assert!(
        logged.contains("the last metrics were not pushed in time"),
        "{logged}"
    );
}

/// A large snapshot has several bodies of bounded size, which have each series once.
#[test]
fn a_large_snapshot_is_divided() {
    const USERS: usize = 6_000;
    let receiver = Receiver::start(|_| Reply::status(200));
    let config = "metric users {\n  filter = event=*\n  group_by = user\n}\n";
    let fixture = Fixture::with(config, pushing(&receiver.url, SHORT));
    let users = (0..USERS).map(|user| format!("EVENT\t0\t0\t1\t100\t0\tna\tSuser\tuser-{user}\n"));
    fixture.send(&users.collect::<String>());
    eventually("all users were pushed", || {
        let series = receiver.snapshot();
        let (bodies, series) = (series.len(), series.concat());
        let mut users: Vec<_> = find(&series, "dovecot_users_total")
            .iter()
            .map(|one| one.label("user").map(str::to_owned))
            .collect();
        let count = users.len();
        users.sort_unstable();
        users.dedup();
        assert_eq!(users.len(), count, "a series twice");
        count == USERS && bodies > 1
    });
    assert!(receiver.largest() <= 512 << 10, "{}", receiver.largest());
}

/// The series of a removed metric end, and all series with the process.
#[test]
fn series_end_with_a_marker() {
    let receiver = Receiver::start(|_| Reply::status(200));
    let config = format!("{ALL}metric gone {{\n  filter = event=*\n}}\n");
    let fixture = Fixture::with(&config, pushing(&receiver.url, SHORT));
    receiver.next();
    let mut reader = fixture.reader();
    assert_eq!(reader.ask("METRICS-REMOVE\tgone").as_deref(), Some("+"));
    let ended = |series: &[Series]| {
        let ended = series.iter().filter(|one| one.is_end());
        let names = ended.filter_map(|one| one.label("__name__"));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let mut last = receiver.next();
    while ended(&last.series()).is_empty() {
        last = receiver.next();
    }
    let of_gone = ["dovecot_gone_duration_seconds_total", "dovecot_gone_total"];
    let names = ended(&last.series());
    let own = ["fantail_series"];
    assert_eq!(names, [&of_gone[..], &own].concat());
    eventually("the ends were counted", || {
        self::own(&fixture, "fantail_push_ended_series_total") == 3
    });

    fixture.send(&event("a", 1));
    fixture.stop();
    let rest: Vec<_> = std::iter::from_fn(|| receiver.try_next()).collect();
    let [.., counts, ends] = &rest[..] else {
        panic!("{rest:?}");
    };
    let (counts, ends) = (counts.series(), ends.series());
    let bits = find(&counts, "dovecot_all_total")[0].value.to_bits();
    assert_eq!(bits, 1_f64.to_bits());
    assert!(ends.iter().all(Series::is_end));
    let labels = |series: &[Series]| {
        let mut labels: Vec<_> = series.iter().map(|one| one.labels.clone()).collect();
        labels.sort();
        labels
    };
    assert_eq!(labels(&ends), labels(&counts));
    assert!(ends[0].millis > counts[0].millis);
}
