//! What a page gets.

use std::{io::Write as _, time::Duration};

use super::Page;
use crate::fixture::{ALL, VERSION, eventually};

fn event(name: &str, fields: &str) -> String {
    format!("EVENT\t0\t0\t0\t1795328118\t0\tn{name}{fields}\n")
}

#[test]
fn a_page_gets_the_events_of_its_filter() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let mut stream = page.stream("?filter=user%3Danna", &cookie);
    assert_eq!(stream.status, "HTTP/1.1 200 OK\r\n");
    // The observer is open.
    stream.next_of("status");
    let lines = [
        event("other", "\tSuser\tbob"),
        event("passed", "\tSuser\tanna\tInumber\t7"),
    ];
    page.fixture.send(&lines.concat());
    let got = stream.next_of("events");
    let events = got["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{got}");
    assert_eq!(events[0]["event"], "passed");
    assert_eq!(events[0]["fields"]["user"], "anna");
    assert_eq!(events[0]["fields"]["number"], 7);
}

#[test]
fn the_status_has_metrics_and_the_events_that_were_seen() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let mut stream = page.stream("", &cookie);
    stream.next_of("status");
    page.fixture
        .send(&[event("one", ""), event("two", ""), event("one", "")].concat());
    let status = stream.next_of("status");
    let status = if status["metrics"][0]["count"] == 3 {
        status
    } else {
        stream.next_of("status")
    };
    assert_eq!(status["metrics"][0]["name"], "all");
    assert_eq!(status["metrics"][0]["count"], 3);
    let names = serde_json::json!([["one", 2], ["two", 1]]);
    assert_eq!(status["events"]["names"], names);
}

#[test]
fn terms_are_counted_while_a_page_explains() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let mut stream = page.stream("?filter=event%3Done+AND+user%3Danna&explain=true", &cookie);
    assert_eq!(stream.next_of("terms")["seen"], 0);
    page.fixture
        .send(&[event("one", "\tSuser\tann"), event("two", "")].concat());
    let mut terms = stream.next_of("terms");
    while terms["seen"] != 2 {
        terms = stream.next_of("terms");
    }
    assert_eq!(terms["terms"][1]["text"], "event=one");
    assert_eq!(terms["terms"][1]["held"], 1);
    assert_eq!(terms["terms"][2]["missed"], 1);
    assert_eq!(terms["terms"][2]["saw"], "\"ann\"");
}

/// A page shows what is sent anyway: only an explicit act costs mail processes more.
#[test]
fn clients_are_asked_for_more_only_on_request() {
    let page = Page::new("metric m {\n  filter = event=other\n}\n");
    let cookie = page.sign_in();
    let mut stream = page.stream("?filter=event%3Dwanted", &cookie);
    stream.next_of("status");
    let filter = || page.fixture.writer().filter;
    assert!(!filter().contains("wanted"));
    let headers = format!("Cookie: {cookie}\r\n");
    let (head, _) = page.post("/api/v1/ask", &headers, r#"{"filter":"event=unwatched"}"#);
    assert!(head.starts_with("http/1.1 409"), "{head}");
    let (head, body) = page.post("/api/v1/ask", &headers, r#"{"filter":"event=wanted"}"#);
    assert!(head.starts_with("http/1.1 204"), "{head} {body}");
    assert!(filter().contains("wanted"));
    assert!(
        page.fixture
            .logged()
            .contains("page: asks Dovecot's processes")
    );
    // It ends with the time or the page.
    drop(stream);
    eventually("clients are asked for no more", || {
        !filter().contains("wanted")
    });
}

#[test]
fn a_field_that_an_exporter_may_not_write_is_not_shown() {
    let page = Page::new(
        "metric all {\n  filter = event=*\n  exporter = log\n}\n\
         event_exporter log {\n  transport = drop\n  format = json\n  format_args = time-rfc3339\n  fields_deny = password\n}\n",
    );
    let cookie = page.sign_in();
    let mut stream = page.stream("?filter=event%3D*", &cookie);
    stream.next_of("status");
    page.fixture
        .send(&event("passed", "\tSuser\tanna\tSpassword\thidden"));
    let got = stream.next_of("events");
    let fields = &got["events"][0]["fields"];
    assert_eq!(fields["user"], "anna", "{got}");
    assert!(fields["password"].is_null(), "{got}");
}

#[test]
fn pages_leave_the_taps_of_readers_free() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let streams: Vec<_> = (0..20)
        .map(|number| {
            let mut stream = page.stream(&format!("?filter=n%3D{number}"), &cookie);
            stream.next_of("status");
            stream
        })
        .collect();
    let mut reader = page.fixture.reader();
    let answer = reader.ask("FANTAIL-TAP\tevent=x\tlogfmt\t1\t1\t1");
    assert_eq!(answer.unwrap(), "+");
    drop(streams);
}

/// Events do not wait for a page; it is told what it missed, and loses its stream.
#[test]
fn a_page_that_does_not_read_delays_no_client() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let mut stream = page.stream("?filter=event%3D*", &cookie);
    stream.next_of("status");
    let mut writer = page.fixture.writer();
    writer.send(VERSION.as_bytes());
    let line = event("passed", &format!("\tStext\t{}\tIx\t1", "x".repeat(900)));
    for _ in 0..50 {
        writer.send(line.repeat(1000).as_bytes());
    }
    writer.finish();
    assert_eq!(page.fixture.count(), 50_000);
    let got = stream.next_of("events");
    assert!(got["skipped"].as_u64().unwrap() > 0, "{}", got["skipped"]);
}

#[test]
fn a_stream_ends_with_its_session() {
    let page = Page::new(ALL);
    let (cookie, other) = (page.sign_in(), page.sign_in());
    let mut streams = [&cookie, &other].map(|cookie| page.stream("", cookie));
    streams
        .iter_mut()
        .for_each(|stream| drop(stream.next_of("status")));
    page.ask(
        "DELETE",
        "/api/v1/session",
        &format!("Cookie: {cookie}\r\n"),
        "",
    );
    let [mut ended, mut open] = streams;
    ended.wait_for_the_end();
    open.next_of("status");
}

#[test]
fn a_page_that_does_not_read_is_cut_off() {
    let page = Page::with(ALL, |options| {
        options.limits.stalled = Duration::from_millis(300);
    });
    let cookie = page.sign_in();
    let mut stream = page.ask_for_stream("?filter=event%3D*", &cookie);
    let line = event("passed", &format!("\tStext\t{}", "x".repeat(900)));
    eventually("the page is cut off", || {
        page.fixture.send(&line.repeat(300));
        // The server takes no further request, but the connection is open until then.
        stream.write_all(b"\r\n").is_err()
    });
    let mut other = page.stream("", &cookie);
    other.next_of("status");
}

#[test]
fn kept_events_are_counted_at_each_term() {
    let page = Page::with(ALL, |options| options.limits.recent = 1 << 20);
    let cookie = page.sign_in();
    page.fixture
        .send(&[event("one", "\tSuser\tann"), event("two", "")].concat());
    let path = "/api/v1/explain/recent?filter=event%3Done+AND+user%3Danna";
    let counts = page.json(path, &cookie);
    assert_eq!(
        (&counts["seen"], &counts["left_out"]),
        (&2.into(), &0.into())
    );
    assert_eq!(counts["terms"][1]["held"], 1, "{counts}");
    assert_eq!(counts["terms"][2]["saw"], "\"ann\"", "{counts}");
    let header = format!("Cookie: {cookie}\r\n");
    let wrong = path.replace("%3Done", "%3D(");
    let (head, _) = page.ask("GET", &wrong, &header, "");
    assert!(head.starts_with("http/1.1 400"), "{head}");
    let without = Page::new(ALL);
    let header = format!("Cookie: {}\r\n", without.sign_in());
    let (head, body) = without.ask("GET", path, &header, "");
    assert!(head.starts_with("http/1.1 409"), "{head} {body}");
}

#[test]
fn what_is_wrong_with_a_filter_is_said() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let wrong = page.json("/api/v1/filter?filter=event%3D(", &cookie);
    assert!(wrong["canonical"].is_null(), "{wrong}");
    assert_eq!(wrong["findings"][0]["severity"], "error");
    let unknown = page.json(
        "/api/v1/filter?filter=event%3Dimap_comand_finished",
        &cookie,
    );
    assert_eq!(
        unknown["findings"][0]["code"], "lint/unknown-event",
        "{unknown}"
    );
    assert_eq!(unknown["findings"][0]["severity"], "warning");
    let stream = page.stream("?filter=event%3D(", &cookie);
    assert_eq!(stream.status, "HTTP/1.1 400 Bad Request\r\n");
}

#[test]
fn the_catalogue_and_the_findings_are_answered() {
    let page = Page::new("metric m {\n  filter = event=imap_comand_finished\n}\n");
    let cookie = page.sign_in();
    let catalogue = page.json("/api/v1/catalogue", &cookie);
    let events = catalogue["events"].as_array().unwrap();
    let mut names = events.iter().map(|event| event["name"].as_str().unwrap());
    assert!(names.any(|name| name == "imap_command_finished"));
    let found = page.json("/api/v1/findings", &cookie);
    let codes = found["findings"].as_array().unwrap().iter();
    let mut codes = codes.map(|finding| finding["code"].as_str().unwrap());
    assert!(codes.any(|code| code == "lint/unknown-event"), "{found}");
}
