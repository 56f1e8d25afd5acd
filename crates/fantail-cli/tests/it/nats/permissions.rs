//! The permissions of `docs/fleet.md`: a host can do nothing to the counts of others.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
};

use fantail_testkit::{NatsServer, process::wait_until};

use super::{Aggregate, PATIENCE, each_server, publishing};
use crate::fleet::hosts::GROUPED;

/// Returns the users in the configuration of the documentation, with an administrator.
fn users() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fleet.md");
    #[allow(clippy::disallowed_methods, reason = "a page of ours")]
    let page = fs::read_to_string(page).unwrap();
    let (_, after) = page.split_once("```\nauthorization {").unwrap();
    let (block, _) = after.split_once("\n```").unwrap();
    let block = block.replace("PASSWORD", "secret");
    let all = format!("authorization {{{block}");
    all.replacen(
        "users = [",
        "users = [\n    { user: admin, password: secret }",
        1,
    )
}

/// Publishes a message as a user; returns what the server says until it answers PING.
fn publish(broker: &NatsServer, user: &str, subject: &str, message: &str) -> String {
    let url = broker.url();
    let mut stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    let connect = format!(
        "CONNECT {{\"user\":\"{user}\",\"pass\":\"secret\",\"verbose\":false,\"headers\":true}}\r\n"
    );
    let length = message.len();
    let publish = format!("PUB {subject} {length}\r\n{message}\r\nPING\r\n");
    stream.write_all((connect + &publish).as_bytes()).unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 || line.starts_with("PONG") {
            return said;
        }
        said += &line;
    }
}

/// What a user must not publish, with a message.
fn attempts() -> Vec<(&'static str, String, &'static str)> {
    let stream = "FANTAIL_COUNTS_mail";
    vec![
        (
            "mail1",
            "fantail.c1.mail.mail2.00000000000000000000000000000001.h".to_owned(),
            "x",
        ),
        ("mail1", format!("$JS.API.STREAM.PURGE.{stream}"), ""),
        ("mail1", format!("$JS.API.STREAM.DELETE.{stream}"), ""),
        ("mail1", format!("$JS.API.STREAM.UPDATE.{stream}"), "{}"),
        ("mail1", format!("$JS.API.STREAM.CREATE.{stream}"), "{}"),
        (
            "mail1",
            format!("$JS.API.STREAM.MSG.DELETE.{stream}"),
            r#"{"seq":1}"#,
        ),
        (
            "mail1",
            format!("$JS.API.STREAM.MSG.GET.{stream}"),
            r#"{"seq":1}"#,
        ),
        ("mail1", format!("$JS.API.CONSUMER.CREATE.{stream}"), "{}"),
        ("mail1", "fantail.e1.mail.mail2.audit".to_owned(), "x"),
        ("collect", "fantail.e1.mail.mail1.audit".to_owned(), "x"),
        (
            "collect",
            "$JS.API.STREAM.PURGE.FANTAIL_EVENTS_mail".to_owned(),
            "",
        ),
        (
            "mail1",
            "$JS.API.STREAM.PURGE.FANTAIL_EVENTS_mail".to_owned(),
            "",
        ),
        (
            "aggregate",
            "fantail.c1.mail.mail1.00000000000000000000000000000001.h".to_owned(),
            "x",
        ),
        ("aggregate", format!("$JS.API.STREAM.PURGE.{stream}"), ""),
        ("aggregate", format!("$JS.API.STREAM.DELETE.{stream}"), ""),
        (
            "aggregate",
            format!("$JS.API.STREAM.MSG.DELETE.{stream}"),
            r#"{"seq":1}"#,
        ),
    ]
}

#[test]
fn a_host_has_no_power_over_the_counts_of_others() {
    each_server(|program, folder| {
        let broker = NatsServer::start(program, folder, &users());
        // The stream is created by an administrator, once.
        let url = broker.url();
        let started_by = |user| {
            let credentials = broker.credentials(user);
            Aggregate::start_with(&url, &["--nats-credentials", credentials.to_str().unwrap()])
        };
        let created = started_by("admin");
        wait_until("the stream is there", PATIENCE, || created.is_complete());
        drop(created);

        // With these permissions, hosts publish and an aggregate reads.
        let aggregate = started_by("aggregate");
        let credentials = broker.credentials("mail1");
        let credentials = ["--nats-credentials", credentials.to_str().unwrap()];
        let host = publishing(GROUPED, &url, "mail1", &credentials);
        host.login(&[("anna", 3)]);
        wait_until("the counts are there", PATIENCE, || {
            aggregate.logins().get("logins_anna") == Some(&3)
        });

        for (user, subject, message) in attempts() {
            let said = publish(&broker, user, &subject, message);
            let refused = "Permissions Violation for Publish to";
            assert!(said.contains(refused), "{user} {subject}: {said}");
        }

        // Under its own name a host may write what it wants: it is refused by the reader.
        let own = "fantail.c1.mail.mail1.00000000000000000000000000000001.h";
        let said = publish(&broker, "mail1", own, "x");
        assert!(!said.contains("-ERR"), "{said}");
        let status = format!("{}/api/v1/aggregate", aggregate.address);
        wait_until("the message is refused", PATIENCE, || {
            let mut answer = ureq::get(&status).call().unwrap();
            let status = answer.body_mut().read_to_string().unwrap();
            status.contains("\"refused_messages\":1")
        });
        assert_eq!(aggregate.logins().get("logins_anna"), Some(&3));
    });
}
