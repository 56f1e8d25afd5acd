//! OTLP/HTTP: requests as the official protobuf definitions read them, and answers.

use std::{io::Read as _, num::NonZeroUsize, process::Command};

use fantail_event::{
    Dialect, EffectiveBuffers, Elements, Event, Level, SentEvent, Timestamp, ValueRef,
};
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings};
use fantail_testkit::{checked, python, skip};
use fantail_transport::{
    Batch, Delivery, HttpBatch, HttpSettings, HttpTransport, Retry, Transport as _,
};
use serde_json::{Value, json};

use crate::peers::{HttpServer, Reply, Request};

/// Reads a request by the official definitions, and writes it back as JSON.
const READ: &str = r"
import sys
try:
    from google.protobuf.json_format import MessageToJson, Parse
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
except ImportError:
    sys.exit(3)
request = Parse(sys.stdin.read(), ExportLogsServiceRequest())
binary = ExportLogsServiceRequest.FromString(request.SerializeToString())
print(MessageToJson(binary))
";

fn transport(url: &str, gzip: bool) -> HttpTransport {
    let settings = HttpSettings {
        timeout: None,
        batch: HttpBatch::Otlp,
        batch_payloads: NonZeroUsize::new(100).unwrap(),
        gzip,
        ..HttpSettings::new(url, "application/json")
    };
    HttpTransport::of_host(settings, b"mx1")
}

/// A record with a value of each type.
fn record(level: Level) -> Vec<u8> {
    let strings = vec!["imap", "a \"quoted\" one"];
    let event = Event::builder(Timestamp::from_unix_micros(1_795_328_191_200_093))
        .name("imap_command_finished")
        .field("user", "ann\u{e4}\n\\")
        .field("bytes", i64::MIN)
        .field("large", u64::MAX)
        .field("small", 7_u64)
        .field("ratio", 1.5)
        .field("infinite", f64::INFINITY)
        .field("tls", true)
        .field("binary", &b"\xff"[..])
        .field("dovecot.categories", "mine")
        .field("list", ValueRef::List(Elements::of(&strings, 0)))
        .sent(Timestamp::from_unix_micros(1_795_328_191_500_000))
        .build()
        .unwrap();
    let formatter = Formatter::new(FormatterSettings::new(Format::Otlp, Dialect::V2_4));
    let context = ExportContext {
        host: b"mx1",
        received_at: Timestamp::default(),
    };
    let sent = SentEvent {
        level,
        ..SentEvent::alone(&event)
    };
    let (mut buffers, mut record) = (EffectiveBuffers::new(), Vec::new());
    formatter.write(&buffers.gather(&sent), context, &mut record);
    record
}

fn deliver(transport: &mut HttpTransport, records: &[Vec<u8>]) -> Delivery {
    let mut batch = Batch::new();
    records.iter().for_each(|record| batch.push(record));
    transport.deliver(batch.payloads())
}

fn unpacked(request: &Request) -> Vec<u8> {
    if !request.has("content-encoding: gzip") {
        return request.body.clone();
    }
    let mut body = Vec::new();
    let mut packed = flate2::read::GzDecoder::new(&*request.body);
    packed.read_to_end(&mut body).unwrap();
    body
}

#[test]
fn the_official_definitions_read_a_request() {
    let server = HttpServer::start(|_, _| Reply::Body(200, "{}"));
    let records = [record(Level::Info), record(Level::Panic)];
    let delivery = deliver(&mut transport(&server.url, true), &records);
    assert_eq!((delivery.settled(), delivery.refusals().len()), (2, 0));
    let request = server.next();
    assert!(request.has("content-type: application/json"));
    assert!(request.has("content-encoding: gzip"));
    let Some(python) = python() else {
        return;
    };
    let verdict = checked(Command::new(python).args(["-c", READ]), &unpacked(&request));
    if !verdict.content && verdict.said.is_empty() {
        skip("Python has no opentelemetry-proto");
        return;
    }
    assert!(verdict.content, "{}", verdict.said);
    let read: Value = serde_json::from_str(&verdict.said).unwrap();
    let resource = &read["resourceLogs"][0];
    let host = json!({ "key": "host.name", "value": { "stringValue": "mx1" } });
    assert_eq!(resource["resource"]["attributes"][1], host);
    let scope = &resource["scopeLogs"][0];
    assert_eq!(scope["scope"]["name"], "fantail");
    let [info, panic] = scope["logRecords"].as_array().unwrap().as_slice() else {
        panic!("{scope}");
    };
    assert_eq!(panic["severityNumber"], "SEVERITY_NUMBER_FATAL4");
    let attribute = |key: &str, value: Value| json!({ "key": key, "value": value });
    let strings = json!([{ "stringValue": "imap" }, { "stringValue": "a \"quoted\" one" }]);
    let expected = json!({
        "timeUnixNano": "1795328191500000000",
        "severityNumber": "SEVERITY_NUMBER_INFO",
        "severityText": "info",
        "eventName": "imap_command_finished",
        "attributes": [
            attribute("dovecot.start_time_unix_nano", json!({ "intValue": "1795328191200093000" })),
            attribute("dovecot.categories", json!({ "arrayValue": {} })),
            attribute("user", json!({ "stringValue": "ann\u{e4}\n\\" })),
            attribute("bytes", json!({ "intValue": "-9223372036854775808" })),
            attribute("large", json!({ "stringValue": "18446744073709551615" })),
            attribute("small", json!({ "intValue": "7" })),
            attribute("ratio", json!({ "doubleValue": 1.5 })),
            attribute("infinite", json!({ "doubleValue": "Infinity" })),
            attribute("tls", json!({ "boolValue": true })),
            attribute("binary", json!({ "stringValue": "\u{fffd}" })),
            attribute("field.dovecot.categories", json!({ "stringValue": "mine" })),
            attribute("list", json!({ "arrayValue": { "values": strings } })),
            attribute("duration", json!({ "intValue": "299907" })),
        ],
    });
    assert_eq!(info, &expected);
}

#[test]
fn records_that_the_receiver_refuses_are_not_sent_again() {
    let partly = r#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}"#;
    let server = HttpServer::start(move |_, _| Reply::Body(200, partly));
    let records = vec![record(Level::Info); 3];
    let delivery = deliver(&mut transport(&server.url, false), &records);
    assert_eq!(delivery.settled(), 3);
    let [refusal] = delivery.refusals() else {
        panic!("{delivery:?}");
    };
    assert_eq!(refusal.payloads.len(), 2);
    assert_eq!(
        refusal.error.to_string(),
        "the target refused it: 2 of 3 log records: too old"
    );
    let one = server.requests.try_iter().count();
    assert_eq!(one, 1, "requests");
}

#[test]
fn only_some_errors_of_the_receiver_are_temporary() {
    for (status, headers, expected) in [
        (
            503,
            "Retry-After: 7\r\n",
            Some(Retry::After(std::time::Duration::from_secs(7))),
        ),
        (502, "", Some(Retry::Backoff)),
        (429, "", Some(Retry::Backoff)),
        (500, "", None),
        (404, "", None),
    ] {
        let server = HttpServer::start(move |_, _| Reply::Status(status, headers));
        let delivery = deliver(&mut transport(&server.url, false), &[record(Level::Info)]);
        let retry = delivery
            .error()
            .map(fantail_transport::TransportError::retry);
        assert_eq!(retry, expected, "{status}");
        assert_eq!(
            delivery.settled(),
            usize::from(expected.is_none()),
            "{status}"
        );
    }
}
