//! Pushes of OTLP.

use std::{io::Read as _, time::Duration};

use fantail_server::{PushOptions, PushProtocol, ServerOptions};
use serde_json::Value;

use super::{
    own, pushing,
    receiver::{Receiver, Reply, Request},
    requests,
};
use crate::fixture::{ALL, Fixture, event, eventually};

fn otlp(url: &str, interval: Duration) -> impl FnOnce(&mut ServerOptions) {
    let change = pushing(url, interval);
    let mut push = PushOptions::new(url, PushProtocol::Otlp);
    push.interval = interval;
    move |options| {
        change(options);
        options.push = Some(push);
    }
}

fn read(request: &Request) -> Value {
    assert!(request.has("content-type: application/json"));
    assert!(request.has("content-encoding: gzip"));
    let mut text = String::new();
    let mut packed = flate2::read::GzDecoder::new(&*request.body);
    packed.read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Returns the points of a sum.
fn points(request: &Value, name: &str) -> Value {
    let metrics = request.pointer("/resourceMetrics/0/scopeMetrics/0/metrics");
    let mut metrics = metrics.unwrap().as_array().unwrap().iter();
    let metric = metrics.find(|metric| metric["name"] == name).unwrap();
    metric["sum"]["dataPoints"].clone()
}

#[test]
fn sums_grow_from_a_start_that_does_not_move() {
    let receiver = Receiver::start(|_| Reply::Body("{}"));
    let fixture = Fixture::with(ALL, otlp(&receiver.url, super::SHORT));
    let first = read(&receiver.next());
    let attributes = first
        .pointer("/resourceMetrics/0/resource/attributes")
        .unwrap();
    let value = |at: usize| &attributes[at]["value"]["stringValue"];
    assert_eq!(value(0), "dovecot");
    assert_eq!(value(1), "mx1");
    fixture.send(&event("a", 7));
    let point = |request: &Value, name| points(request, name)[0].clone();
    let mut next = read(&receiver.next());
    while point(&next, "dovecot_all_total")["asInt"] != "1" {
        next = read(&receiver.next());
    }
    assert_eq!(point(&next, "dovecot_all_x_total")["asInt"], "7");
    let [before, after] = [&first, &next].map(|one| point(one, "dovecot_all_total"));
    assert_eq!(before["asInt"], "0");
    assert_eq!(before["startTimeUnixNano"], after["startTimeUnixNano"]);
    let time = |point: &Value, key: &str| point[key].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time(&after, "timeUnixNano") > time(&before, "timeUnixNano"));
    assert!(time(&before, "startTimeUnixNano") < time(&before, "timeUnixNano"));

    // Counts that begin again have another start.
    let mut reader = fixture.reader();
    reader.dump("DUMP-RESET\tcount");
    let mut reset = read(&receiver.next());
    while point(&reset, "dovecot_all_total")["asInt"] != "0" {
        reset = read(&receiver.next());
    }
    let again = point(&reset, "dovecot_all_total");
    assert!(time(&again, "startTimeUnixNano") > time(&after, "timeUnixNano"));
    let own = |request: &Value| point(request, "fantail_events_total")["startTimeUnixNano"].clone();
    assert_eq!(own(&reset), own(&first));
}

#[test]
fn points_that_the_receiver_refuses_are_counted() {
    let receiver = Receiver::start(|_| {
        Reply::Body(r#"{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"too many"}}"#)
    });
    let fixture = Fixture::with(ALL, otlp(&receiver.url, super::LONG));
    receiver.next();
    let refused = "fantail_push_samples_total{result=\"refused\"}";
    eventually("they were counted", || own(&fixture, refused) == 2);
    assert_eq!(requests(&fixture, "accepted"), 1);
    assert_eq!(requests(&fixture, "refused"), 0);
    let logged = fixture.logged();
    assert!(
        logged.contains("the target of pushes refuses 2 of "),
        "{logged}"
    );
    assert!(receiver.try_next().is_none(), "sent again");
}

/// Unlike with remote write.
#[test]
fn status_500_is_not_temporary() {
    let receiver = Receiver::start(|_| Reply::status(500));
    let fixture = Fixture::with(ALL, otlp(&receiver.url, super::LONG));
    receiver.next();
    eventually("it was refused", || requests(&fixture, "refused") == 1);
    assert_eq!(requests(&fixture, "failed"), 0);
}
