//! `fantail events`: the catalogue in the terminal.

use super::program::fantail;

#[test]
fn overview_names_everything() {
    let out = String::from_utf8(fantail(&["events"], b"").succeeded()).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    for line in [
        "Events:",
        "  imap_command_finished                  an IMAP command was answered",
        "  imap_id_received                       an IMAP client said who it is (ID) (since 2.4.0)",
        "Categories:",
        "  mail                                   part of mailbox",
        "Reason codes:",
        "  imap:cmd_*",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
}

#[track_caller]
fn names(arguments: &[&str], expected: &[&str]) {
    let arguments: Vec<&str> = [&["events"], arguments].concat();
    let out = fantail(&arguments, b"").succeeded();
    let out = String::from_utf8(out).unwrap();
    let names = out
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' '));
    let names: Vec<&str> = names.map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, expected);
}

/// The fields of an event that a release sends.
#[test]
fn fields_of_a_release() {
    for (release, has) in [("2.4.1", false), ("2.4.5", true)] {
        let arguments = ["events", "imap_id_received", "--dovecot", release];
        let out = String::from_utf8(fantail(&arguments, b"").succeeded()).unwrap();
        let mut words = out.split_whitespace();
        assert_eq!(words.any(|word| word == "trusted"), has, "{release}: {out}");
    }
}

#[test]
fn patterns() {
    names(&["fs"], &["fs", "fs_file"][..1]);
    names(
        &["mail_delivery_*"],
        &["mail_delivery_finished", "mail_delivery_started"],
    );
    names(
        &["delivery"],
        &["mail_delivery_finished", "mail_delivery_started"],
    );
    names(&["*_id_receive?"], &["imap_id_received"]);
    let run = fantail(&["events", "imap_id_received", "--dialect", "2.3"], b"");
    assert_eq!(
        (run.status, run.err.as_str()),
        (
            Some(1),
            "error: only the other series of Dovecot has the event imap_id_received\n"
        )
    );
    let run = fantail(&["events", "nonsense"], b"");
    assert_eq!(
        (run.status, run.err.as_str()),
        (
            Some(1),
            "error: Dovecot has no event nonsense; `fantail events` lists all\n"
        )
    );
}

#[test]
fn fields_by_version() {
    let field = |dialect: &[&str], start: &str| {
        let arguments = [&["events", "imap_command_finished"], dialect].concat();
        let out = String::from_utf8(fantail(&arguments, b"").succeeded()).unwrap();
        out.lines()
            .map(str::trim)
            .find(|line| line.starts_with(start))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(
        field(&[], "net_in_bytes").as_deref(),
        Some("net_in_bytes integer in bytes, 2.3: bytes_in")
    );
    assert_eq!(
        field(&["--dialect", "2.3"], "bytes_in").as_deref(),
        Some("bytes_in integer in bytes")
    );
    assert_eq!(field(&["--dialect", "2.3"], "net_in_bytes"), None);
    assert_eq!(
        field(&["--dialect", "2.4"], "remote_ip").as_deref(),
        Some("remote_ip address since 2.3.9")
    );
}

#[test]
fn json() {
    let read = |arguments: &[&str]| -> serde_json::Value {
        let arguments = [&["events", "--json"], arguments].concat();
        serde_json::from_slice(&fantail(&arguments, b"").succeeded()).unwrap()
    };
    let all = read(&[]);
    assert!(all["events"].as_array().unwrap().len() > 100);
    assert!(all["categories"].as_array().unwrap().len() > 50);
    let one = read(&["pop3_command_finished"]);
    let fields = one["events"][0]["fields"].as_array().unwrap();
    let reply = fields
        .iter()
        .find(|field| field["name"] == "reply")
        .unwrap();
    assert_eq!(
        reply,
        &serde_json::json!({
            "name": "reply", "type": "text", "sent_as": "reply_state", "values": ["OK", "FAIL"]
        })
    );
}
