//! Reloads: another configuration for a running server.

use crate::fixture::{ALL, Fixture, event, eventually, open_files, threads};

fn metric(name: &str, filter: &str) -> String {
    format!("metric {name} {{\n  filter = {filter}\n}}\n")
}

fn reload(fixture: &Fixture) -> String {
    fixture.reader().ask("FANTAIL-RELOAD").unwrap()
}

#[test]
fn unchanged_metrics_keep_their_counts() {
    let before =
        metric("same", "event=a") + &metric("other", "event=a") + &metric("gone", "event=a");
    let fixture = Fixture::new(&before);
    fixture.send(&event("a", 1));
    let mut writer = fixture.writer();
    let after =
        metric("new", "event=a") + &metric("other", "event=a*") + &metric("same", "event=a");
    fixture.configure(&after);
    assert_eq!(reload(&fixture), "+");
    fixture.send(&event("a", 1));
    let lines = fixture.reader().dump("DUMP\tcount");
    assert_eq!(lines, ["new\t1", "other\t1", "same\t2"]);
    assert_eq!(
        writer.next_filter(),
        "(event=\"a\") OR (event=\"a*\") OR (event=\"a\")"
    );
}

/// The listener is opened only at the start.
#[test]
fn a_changed_http_listener_needs_a_restart() {
    let listener = |port: u16| {
        format!("{ALL}service stats {{\n  inet_listener http {{\n    port = {port}\n  }}\n}}\n")
    };
    let fixture = Fixture::new(ALL);
    assert_eq!(reload(&fixture), "+");
    fixture.configure(&listener(9_900));
    assert_eq!(reload(&fixture), "+");
    let advice = "`inet_listener http` has changed, which takes effect at a restart: systemctl \
                  restart fantail; until then no scrape is answered";
    eventually("the advice is logged", || fixture.logged().contains(advice));
    // Once for each reload that has it.
    assert_eq!(fixture.logged().matches("inet_listener").count(), 1);
    let flag = Fixture::with(ALL, |options| {
        options.http = Some(([127, 0, 0, 1], 0).into());
    });
    flag.configure(&listener(9_900));
    assert_eq!(reload(&flag), "+");
    assert_eq!(reload(&flag), "+");
    assert!(!flag.logged().contains("inet_listener"));
}

#[test]
fn a_bad_configuration_is_refused_with_its_diagnostics() {
    let fixture = Fixture::new(ALL);
    fixture.send(&event("a", 1));
    fixture.configure("metric all {\n  filter = event=(\n}\n");
    let answer = reload(&fixture);
    assert!(answer.starts_with("-FANTAIL-RELOAD: "), "{answer}");
    assert!(
        answer.contains("fantail.conf:2:18: error[config/filter-syntax]"),
        "{answer}"
    );
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 2);
    let broken = "event_exporter e {\n  format = json\n  transport = file\n}\n";
    fixture.configure(broken);
    assert!(reload(&fixture).starts_with('-'));
    assert_eq!(fixture.count(), 2);
}

#[test]
fn added_metrics_stay_as_long_as_they_fit() {
    let fixture = Fixture::new(ALL);
    let mut reader = fixture.reader();
    for name in ["mine", "taken"] {
        let line = format!("METRICS-ADD\t{name}\t\t\t\tevent=a\t\t");
        assert_eq!(reader.ask(&line).unwrap(), "+");
    }
    fixture.send(&event("a", 1));
    fixture.configure(&(metric("taken", "event=b") + ALL));
    assert_eq!(reload(&fixture), "+");
    assert_eq!(
        fixture.reader().dump("DUMP\tcount"),
        ["taken\t0", "all\t1\tx\t1", "mine\t1"]
    );
    assert!(
        fixture
            .logged()
            .contains("the metric taken, added at run time, does not fit")
    );
    // A removed metric of the configuration returns with a reload.
    assert_eq!(reader.ask("METRICS-REMOVE\tall").unwrap(), "+");
    assert_eq!(reload(&fixture), "+");
    assert_eq!(fixture.count(), 0);
}

#[test]
fn reloads_leave_nothing_behind() {
    let fixture = Fixture::alone(ALL, |_| {});
    let exporter = |name: &str| {
        let path = fixture.path(name);
        format!(
            "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
             event_exporter out {{\n  format = json\n  driver = file\n  file_path = {}\n}}\n\
             metric all {{\n  filter = event=*\n  exporter = out\n}}\n",
            path.display()
        )
    };
    fixture.configure(&exporter("one"));
    assert_eq!(reload(&fixture), "+");
    fixture.send(&event("a", 1));
    let (files, threads_before) = (open_files(), threads());
    let mut reader = fixture.reader();
    for number in 0..1_000 {
        // Each tenth time with another exporter.
        fixture.configure(&exporter(if number / 10 % 2 == 0 { "two" } else { "one" }));
        assert_eq!(reader.ask("FANTAIL-RELOAD").unwrap(), "+");
    }
    drop(reader);
    eventually("files are closed", || open_files() <= files);
    eventually("threads have ended", || threads() <= threads_before + 8);
    fixture.send(&event("a", 1));
    assert_eq!(fixture.count(), 2);
}
