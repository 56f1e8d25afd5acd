//! Mail goes on after any fault of the server.

use std::{
    fs,
    os::unix::net::UnixListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fantail_testkit::{
    dovecot::{Traffic, Version},
    process::wait_until,
};
use rustix::process::Signal;

use super::serve::{Serve, counted, site};

const METRIC_2_3: &str = "metric commands {\n  filter = event=imap_command_finished\n  \
     group_by = cmd_name user\n}\n";

const METRIC_2_4: &str = "metric commands {\n  filter = event=imap_command_finished\n  \
     group_by cmd_name {\n  }\n  group_by user {\n  }\n}\n";

/// IMAP connections that stay.
const HELD: u32 = 5;

/// Dovecot's clients try again every 10 seconds.
const RECONNECTED: Duration = Duration::from_secs(12);

fn check_restart(version: Version) {
    let settings = match version {
        Version::V2_3 => METRIC_2_3,
        Version::V2_4 => METRIC_2_4,
    };
    let Some(mut site) = site(version, settings) else {
        return;
    };
    let state = site.path("counts");
    let arguments = ["--state", state.to_str().unwrap(), "--state-interval", "1"];
    let mut serve = Serve::start(&site, &arguments);
    site.start();
    let mut held = Traffic::hold(&site, HELD);
    let press = Traffic::press(&site, 2);
    for _ in 0..4 {
        assert_eq!(held.ask("NOOP"), HELD);
    }
    let noops = || counted(&site, "commands_NOOP");
    let before = u64::from(4 * HELD);
    wait_until("all is counted", Duration::from_secs(5), || {
        noops() == before
    });
    wait_until_saved(&state);
    serve.process.signal(Signal::KILL);
    serve.process.wait(Duration::from_secs(5));
    // No server counts these.
    for _ in 0..4 {
        assert_eq!(held.ask("CHECK"), HELD);
    }
    let _serve = Serve::start(&site, &arguments);
    assert_eq!(noops(), before, "what was counted before is back");
    let user = |number: u32| format!("commands_NAMESPACE_user{number}@example.net");
    wait_until("all processes are back", RECONNECTED, || {
        assert_eq!(held.ask("NAMESPACE"), HELD);
        thread::sleep(Duration::from_millis(500));
        (0..HELD).all(|number| counted(&site, &user(number)) > 0)
    });
    for _ in 0..3 {
        assert_eq!(held.ask("NOOP"), HELD);
    }
    let all = before + u64::from(3 * HELD);
    wait_until("all is counted", Duration::from_secs(5), || noops() == all);
    assert_eq!(
        counted(&site, "commands_CHECK"),
        0,
        "none came twice or late"
    );
    for traffic in [held, press] {
        let report = traffic.finish();
        assert_eq!(report.failures, Vec::<String>::new());
    }
}

/// Waits until the state was saved twice: the second began after this call.
fn wait_until_saved(state: &Path) {
    let modified = || fs::metadata(state).and_then(|data| data.modified()).ok();
    for _ in 0..2 {
        let before = modified();
        wait_until("the state is saved", Duration::from_secs(5), || {
            modified() != before
        });
    }
}

#[test]
fn killed_under_dovecot_2_3() {
    check_restart(Version::V2_3);
}

#[test]
fn killed_under_dovecot_2_4() {
    check_restart(Version::V2_4);
}

/// A socket that is never read: writes block once its buffer is full.
#[test]
fn a_stuck_exporter_under_traffic() {
    let Some(mut site) = site(Version::V2_4, "") else {
        return;
    };
    let path = site.path("unread");
    // Connects clients, and never reads what they send.
    let _unread = UnixListener::bind(&path).unwrap();
    site.configure(&format!(
        "event_exporter stuck {{\n  driver = unix\n  format = json\n  unix_path = {}\n}}\n\
         metric everything {{\n  filter = event=*\n  exporter = stuck\n}}\n{METRIC_2_4}",
        path.display()
    ));
    let serve = Serve::start(&site, &[]);
    site.start();
    let mut held = Traffic::hold(&site, HELD);
    let press = Traffic::press(&site, 2);
    let begun = Instant::now();
    let mut noops = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(held.ask("NOOP"), HELD);
        noops += u64::from(HELD);
    }
    let is_all = || counted(&site, "commands_NOOP") == noops;
    wait_until("all is counted", Duration::from_secs(5), is_all);
    assert!(counted(&site, "everything") > 1000);
    assert!(!serve.scrape().is_empty());
    let slowest = [held, press].map(|traffic| {
        let report = traffic.finish();
        assert_eq!(report.failures, Vec::<String>::new());
        report.slowest
    });
    // Dovecot's processes wait for a stats server for 5 seconds.
    assert!(
        slowest
            .iter()
            .all(|slowest| *slowest < Duration::from_secs(4)),
        "{slowest:?}"
    );
}
