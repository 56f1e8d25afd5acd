//! The event at the end of a session, and how many are open.

use crate::fixture::{Fixture, VERSION, event, eventually};

const SESSIONS: &str = "metric sessions {
  filter = event=fantail_session_finished
  fields = commands bytes_in bytes_out
  group_by = service user
}
";

const CATEGORIES: &str = "CATEGORY\timap\nCATEGORY\tlmtp\nCATEGORY\tservice:imap\n";

/// A session of imap with two commands, one of them below a mailbox's event.
const IMAP: &str = "BEGIN\t7\t0\t0\t1795328118\t0\tcservice:imap\tcimap\tSuser\tanna\tSsession\tS1\n\
    EVENT\t0\t7\t0\t1795328118\t0\tnimap_command_finished\tScmd_name\tLOGIN\tIbytes_in\t5\tIbytes_out\t30\n\
    BEGIN\t8\t7\t0\t1795328118\t0\tScmd_name\tFETCH\n\
    EVENT\t0\t8\t0\t1795328118\t0\tnimap_command_finished\tIbytes_in\t7\tIbytes_out\t12\n\
    EVENT\t0\t7\t0\t1795328118\t0\tnmail_opened\tIbytes_in\t1000\n\
    END\t8\n";

#[test]
fn the_end_of_a_root_is_an_event() {
    let server = Fixture::new(SESSIONS);
    server.send(&format!("{CATEGORIES}{IMAP}END\t7\n"));
    let dump = server.dump("count\tsum");
    assert!(
        dump.contains("sessions_imap_anna\t1\t"),
        "one session of anna:\n{dump}"
    );
    for sums in ["commands\t1\t2", "bytes_in\t1\t12", "bytes_out\t1\t42"] {
        assert!(dump.contains(sums), "{sums} in:\n{dump}");
    }
}

#[test]
fn a_connection_that_closes_ends_its_sessions() {
    let server = Fixture::new(SESSIONS);
    let second = IMAP.replace("\t7", "\t17").replace("\t8", "\t18");
    server.send(&format!("{CATEGORIES}{IMAP}{second}"));
    eventually("two sessions of anna", || {
        server.dump("count").contains("sessions_imap_anna\t2")
    });
}

/// The submission process of 2.3 has the root of an SMTP server alone; its login
/// process, and the client of the relay, have others.
#[test]
fn submission_of_2_3_is_known_by_its_server() {
    let server = Fixture::new(&SESSIONS.replace("service user", "service session"));
    server.send(&format!(
        "{CATEGORIES}CATEGORY\tservice:submission\nCATEGORY\tservice:submission-login\n\
         CATEGORY\tsmtp-server\nCATEGORY\tsmtp-client\n\
         BEGIN\t1\t0\t0\t1795328118\t0\tcservice:submission\tcsmtp-server\tSprotocol\tsmtp\n\
         BEGIN\t2\t1\t0\t1795328118\t0\tSsession\tM1\n\
         EVENT\t0\t2\t0\t1795328118\t0\tnsmtp_server_command_finished\n\
         BEGIN\t3\t0\t0\t1795328118\t0\tcservice:submission\tcsmtp-client\tSsession\tM2\n\
         BEGIN\t4\t0\t0\t1795328118\t0\tcservice:submission-login\tcsmtp-server\tSsession\tM3\n\
         END\t2\nEND\t1\nEND\t3\nEND\t4\n"
    ));
    let dump = server.dump("count");
    assert!(dump.contains("sessions_submission_M1\t1\t"), "{dump}");
    assert!(dump.contains("sessions\t1\t"), "{dump}");
}

#[test]
fn lmtp_has_its_session_from_the_connection() {
    let server = Fixture::new(&SESSIONS.replace("service user", "service session"));
    server.send(&format!(
        "{CATEGORIES}\
         BEGIN\t1\t0\t0\t1795328118\t0\tclmtp\n\
         BEGIN\t2\t1\t0\t1795328118\t0\tSprotocol\tlmtp\n\
         BEGIN\t3\t2\t0\t1795328118\t0\tSsession\tL1\tSconnection_id\tx\n\
         BEGIN\t4\t3\t0\t1795328118\t0\tSsession\tL1:2\n\
         EVENT\t0\t3\t0\t1795328118\t0\tnsmtp_server_command_finished\n\
         END\t4\nEND\t3\nEND\t2\nEND\t1\n"
    ));
    let dump = server.dump("count");
    assert!(dump.contains("sessions_lmtp_L1\t1\t"), "{dump}");
}

#[test]
fn clients_are_asked_for_commands_only_if_a_metric_wants_sessions() {
    let server = Fixture::new(SESSIONS);
    let filter = server.writer().filter;
    assert!(filter.contains("imap_command_finished"), "{filter}");
    let server = Fixture::new("metric m {\n  filter = event=x\n}\n");
    let filter = server.writer().filter;
    assert!(!filter.contains("imap_command_finished"), "{filter}");
}

#[test]
fn what_is_open_is_a_gauge() {
    let server = Fixture::with(SESSIONS, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let mut client = server.writer();
    client.send(VERSION.as_bytes());
    let open = IMAP.split("END").next().unwrap();
    client.send(format!("{CATEGORIES}{open}").as_bytes());
    let shown = || {
        let (_, body) = server.get("/metrics", "");
        String::from_utf8_lossy(&body).into_owned()
    };
    let wanted = [
        "fantail_sessions{service=\"imap\"} 1",
        "fantail_running_commands{service=\"imap\"} 1",
        "fantail_sessions{service=\"lmtp\"} 0",
    ];
    eventually("a session with a command", || {
        let body = shown();
        wanted.iter().all(|line| body.contains(line))
    });
}

/// Sessions that are open when the last metric that asks for sessions is removed
/// are forgotten: their ends would not be seen, and they would stay open.
#[test]
fn without_a_metric_that_asks_sessions_are_forgotten() {
    const SEEN: &str = "metric seen {\n  filter = event=imap_command_finished\n}\n";
    const MARK: &str = "metric mark {\n  filter = event=mark\n}\n";
    let asking = format!("{SESSIONS}{SEEN}");
    let server = Fixture::new(&asking);
    let counted = |line: &str| eventually(line, || server.dump("count").contains(line));
    let mut client = server.writer();
    client.send(VERSION.as_bytes());
    let open = IMAP.split("END").next().unwrap();
    client.send(format!("{CATEGORIES}{open}").as_bytes());
    counted("seen\t2");
    let reload = |configuration: &str| {
        server.configure(configuration);
        assert_eq!(server.reader().ask("FANTAIL-RELOAD").unwrap(), "+");
    };
    reload(MARK);
    client.send(format!("END\t8\nEND\t7\n{}", event("mark", 1)).as_bytes());
    counted("mark\t1");
    reload(&asking);
    client.finish();
    let dump = server.dump("count");
    assert!(!dump.contains("sessions_imap"), "{dump}");
}

/// A session remembers an event of its client: what it takes is bounded, too.
#[test]
fn sessions_reserve_their_memory() {
    let fixture = Fixture::with(SESSIONS, |options| {
        options.workers = 1;
        // A quarter of it is for sessions, less what connections take.
        options.limits.memory = 4 << 20;
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    let mut writer = fixture.writer();
    writer.send(format!("{VERSION}CATEGORY\timap\n").as_bytes());
    // The child ends, and its root keeps what it said.
    let value = "v".repeat(50_000);
    let mut lines = String::new();
    for id in (2..=80).step_by(2) {
        lines += &format!(
            "BEGIN\t{id}\t0\t1\t1\t0\tcimap\nBEGIN\t{child}\t{id}\t1\t1\t0\tSsession\t{id}\tSv\t{value}\n\
             END\t{child}\n",
            child = id + 1,
        );
        if id == 10 {
            writer.send(lines.as_bytes());
            lines.clear();
            eventually("five clients are held", || fixture.held_bytes() >= 250_000);
        }
    }
    writer.send(lines.as_bytes());
    writer.wait_for_the_end();
    eventually("nothing is held", || fixture.held_bytes() < 60_000);
    assert!(
        fixture.logged().contains("hold too much"),
        "{}",
        fixture.logged()
    );
}
