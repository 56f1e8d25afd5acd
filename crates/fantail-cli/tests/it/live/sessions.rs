//! The ends of sessions of a real Dovecot, which says nothing of them.

use std::time::Duration;

use fantail_testkit::{
    dovecot::{Traffic, Users, Version},
    golden,
    process::wait_until,
};

use super::serve::{Serve, counted, site_with};
use crate::program::contents;

const SETTINGS: &str = "\
event_exporter log {
  format = json
  transport = log
  format_args = time-unix
}
metric sessions {
  filter = event=fantail_session_finished
  fields = commands
  group_by = service
  exporter = log
  exporter_include = name fields
}
";

/// The fields of all sessions that were exported.
fn sessions(log: &[u8]) -> Vec<serde_json::Value> {
    let lines = golden::lines(log).into_iter();
    let lines = lines.filter(|line| line.starts_with(b"{"));
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn every_kind_of_session_ends_with_an_event() {
    let Some(mut site) = site_with(Version::V2_3, Users::Submitting, SETTINGS) else {
        return;
    };
    let serve = Serve::start(&site, &[]);
    site.start();
    for report in [Traffic::visits(&site, 1), Traffic::submissions(&site, 2)] {
        assert_eq!(report.failures, Vec::<String>::new());
    }
    let count = |service: &str| counted(&site, &format!("sessions_{service}"));
    wait_until("all ended", Duration::from_secs(10), || {
        count("imap") >= 2 && count("pop3") >= 1 && count("lmtp") >= 1 && count("submission") >= 2
    });
    site.stop();
    wait_until("they are exported", Duration::from_secs(5), || {
        sessions(&contents(&serve.log)).len() >= 6
    });
    let sessions = sessions(&contents(&serve.log));
    for (service, command) in [("imap", 15), ("pop3", 4), ("lmtp", 3), ("submission", 9)] {
        let of_it = sessions
            .iter()
            .map(|session| &session["fields"])
            .filter(|fields| fields["service"] == service);
        let most = of_it
            .clone()
            .filter_map(|fields| fields["commands"].as_u64());
        // A session has what its client did.
        assert!(most.max() >= Some(command), "{service}: {sessions:#?}");
        assert!(of_it.clone().all(|fields| fields["session"].is_string()));
        assert!(
            of_it
                .clone()
                .any(|fields| fields["user"] == "user0@example.net")
        );
    }
}
