//! The permissions of `docs/fleet.md`: a host can do nothing to the counts of others.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
};

use fantail_testkit::{NatsServer, process::wait_until};

use super::{Aggregate, PATIENCE, each_server, folds::stays, publishing};
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

/// What a user must not publish: users, a subject, a message.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("mail1", "fantail.c1.mail.mail2.RUN.h", "x"),
    ("mail1", "fantail.c1.mail.mail2.RUN.f", "x"),
    ("mail1 aggregate", "fantail.c1.mail._fold.RUN.h", "x"),
    ("aggregate fold", "fantail.c1.mail.mail1.RUN.h", "x"),
    ("mail1", "fantail.e1.mail.mail2.audit", "x"),
    ("collect", "fantail.e1.mail.mail1.audit", "x"),
    (
        "mail1 aggregate",
        "$JS.API.STREAM.PURGE.FANTAIL_COUNTS_mail",
        "",
    ),
    (
        "mail1 collect",
        "$JS.API.STREAM.PURGE.FANTAIL_EVENTS_mail",
        "",
    ),
    (
        "mail1 aggregate fold",
        "$JS.API.STREAM.DELETE.FANTAIL_COUNTS_mail",
        "",
    ),
    ("mail1", "$JS.API.STREAM.UPDATE.FANTAIL_COUNTS_mail", "{}"),
    ("mail1", "$JS.API.STREAM.CREATE.FANTAIL_COUNTS_mail", "{}"),
    (
        "mail1 aggregate",
        "$JS.API.STREAM.MSG.DELETE.FANTAIL_COUNTS_mail",
        "{\"seq\":1}",
    ),
    (
        "mail1",
        "$JS.API.STREAM.MSG.GET.FANTAIL_COUNTS_mail",
        "{\"seq\":1}",
    ),
    ("mail1", "$JS.API.CONSUMER.CREATE.FANTAIL_COUNTS_mail", "{}"),
];

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

        for (users, subject, message) in FORBIDDEN {
            let subject = subject.replace("RUN", "00000000000000000000000000000001");
            for user in users.split(' ') {
                let said = publish(&broker, user, &subject, message);
                let refused = "Permissions Violation for Publish to";
                assert!(said.contains(refused), "{user} {subject}: {said}");
            }
        }

        // The user of the fold process folds a host that ends.
        let credentials = broker.credentials("fold");
        let fold = ["--fold", "--fold-interval", "1s", "--nats-credentials"];
        let fold = [&fold[..], &[credentials.to_str().unwrap()]].concat();
        let fold = Aggregate::start_as("fold", &url, &fold);
        let credentials = broker.credentials("mail2");
        let credentials = ["--nats-credentials", credentials.to_str().unwrap()];
        let mut second = publishing(GROUPED, &url, "mail2", &credentials);
        second.login(&[("anna", 2)]);
        wait_until("both hosts are there", PATIENCE, || {
            aggregate.logins().get("logins_anna") == Some(&5)
        });
        second.process.stop();
        wait_until("the run is folded and gone", PATIENCE, || {
            let status = aggregate.status();
            stays(&aggregate, "logins_anna", 5);
            status["folded_runs"]["all"] == 1 && status["runs"]["closed"] == 0
        });
        drop(fold);

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
        stays(&aggregate, "logins_anna", 5);
    });
}
