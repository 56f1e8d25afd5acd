//! The ends of sessions of a real Dovecot, which says nothing of them.

use std::time::Duration;

use fantail_testkit::{
    dovecot::{Traffic, Users, Version},
    golden,
    process::wait_until,
};

use super::serve::{Serve, counted, site_with};

const METRIC_2_3: &str = "\
event_exporter log {
  format = json
  transport = log
  format_args = time-unix
}
metric sessions {
  filter = event=fantail_session_finished
  fields = service session user commands
  group_by = service
  exporter = log
  exporter_include = name fields
}
";

const METRIC_2_4: &str = "\
event_exporter log {
  driver = log
  format = json
  time_format = unix
}
metric sessions {
  filter = event=fantail_session_finished
  fields = service session user commands
  group_by service {
  }
  exporter = log
  exporter_include = name fields
}
";

/// The fields of all sessions that were exported to Dovecot's log.
fn sessions(log: &[u8]) -> Vec<serde_json::Value> {
    let exported = b"stats: Info: ";
    let lines = golden::lines(log).into_iter();
    let lines = lines.filter_map(|line| {
        let at = line
            .windows(exported.len())
            .position(|here| here == exported)?;
        Some(&line[at + exported.len()..])
    });
    lines
        .map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["fields"].take())
        .collect()
}

/// Services, and how many commands the longest session of each has at least.
fn check(version: Version, users: Users, settings: &str, services: &[(&str, u64)]) {
    let Some(mut site) = site_with(version, users, settings) else {
        return;
    };
    let _serve = Serve::start(&site, &[]);
    site.start();
    let report = Traffic::visits(&site, 1);
    assert_eq!(report.failures, Vec::<String>::new());
    if users == Users::Submitting {
        let report = Traffic::submissions(&site, 2);
        assert_eq!(report.failures, Vec::<String>::new());
    }
    site.stop();
    for (service, commands) in services {
        let most = || {
            let sessions = sessions(&site.log());
            let of_it = sessions.iter().filter(|one| one["service"] == *service);
            // Whose it was: POP3 of 2.4 has no session at its root, LMTP and
            // submission have no user there.
            let known = ["session", "user"];
            let of_it = of_it.filter(|one| known.iter().any(|field| one[field].is_string()));
            of_it.filter_map(|one| one["commands"].as_u64()).max()
        };
        wait_until(service, Duration::from_secs(10), || {
            most() >= Some(*commands)
        });
        assert!(counted(&site, &format!("sessions_{service}")) > 0);
    }
}

#[test]
fn sessions_of_dovecot_2_3_end_with_an_event() {
    // Its POP3 sends no event of a command.
    let services = [("imap", 15), ("lmtp", 3), ("submission", 9)];
    check(Version::V2_3, Users::Submitting, METRIC_2_3, &services);
}

#[test]
fn sessions_of_dovecot_2_4_end_with_an_event() {
    let services = [("imap", 15), ("lmtp", 3), ("pop3", 4)];
    check(Version::V2_4, Users::Served, METRIC_2_4, &services);
}
