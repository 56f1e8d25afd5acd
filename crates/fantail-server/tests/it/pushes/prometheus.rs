//! A real Prometheus, and a VictoriaMetrics, that receive pushes and scrape the same server.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
};

use fantail_testkit::{process::Process, program};
use serde_json::Value;
use tempfile::TempDir;

use super::{SHORT, pushing};
use crate::fixture::{Fixture, event, eventually};

const CONFIG: &str = "\
metric all {\n  filter = event=*\n  fields = x\n}
metric users {\n  filter = event=*\n  group_by = user\n}
metric took {\n  filter = event=*\n  group_by = user duration:exponential:1:5:10\n}
metric gone {\n  filter = event=*\n}
";

/// A database that ends with the test, with its folder.
struct Database {
    // Dropped before the folder: fields are dropped in this order.
    _process: Process,
    _folder: TempDir,
    address: SocketAddr,
}

/// Returns an address without a listener.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Returns the options of a program for its configuration, its data and its address.
type Options = fn(&str, &str, SocketAddr) -> Vec<String>;

fn prometheus(config: &str, data: &str, address: SocketAddr) -> Vec<String> {
    vec![
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={data}"),
        format!("--web.listen-address={address}"),
        "--web.enable-remote-write-receiver".to_owned(),
    ]
}

fn victoria_metrics(config: &str, data: &str, address: SocketAddr) -> Vec<String> {
    vec![
        format!("-promscrape.config={config}"),
        format!("-storageDataPath={data}"),
        format!("-httpListenAddr={address}"),
        "-search.latencyOffset=0s".to_owned(),
    ]
}

impl Database {
    fn start(
        (program, options): (&Path, Options),
        address: SocketAddr,
        target: SocketAddr,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let config = path.join("prometheus.yml");
        let text = format!(
            "scrape_configs:\n- job_name: scraped\n  scrape_interval: 1s\n  static_configs:\n  \
             - targets: ['{target}']\n"
        );
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&config, text).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut command = Command::new(program);
        command
            .args(options(&text(&config), &text(&path.join("data")), address))
            .current_dir(path);
        let process = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        });
        Self {
            _process: process,
            _folder: folder,
            address,
        }
    }

    /// Returns the values that a query gives, by labels without `job` and `instance`; empty
    /// while the database does not answer.
    fn ask(&self, query: &str) -> BTreeMap<String, String> {
        let url = format!("http://{}/api/v1/query", self.address);
        let answer = ureq::post(&url).send_form([("query", query)]);
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let answer: Value = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        let samples = answer["data"]["result"].as_array().cloned();
        let samples = samples.unwrap_or_default().into_iter().map(|sample| {
            let mut labels = sample["metric"].as_object().unwrap().clone();
            labels.retain(|name, _| name != "job" && name != "instance");
            let mut labels: Vec<_> = labels.iter().map(|one| format!("{one:?}")).collect();
            labels.sort_unstable();
            (
                labels.concat(),
                sample["value"][1].as_str().unwrap().to_owned(),
            )
        });
        samples.collect()
    }

    fn number(&self, query: &str) -> Option<String> {
        self.ask(query).into_values().next()
    }
}

fn events() -> String {
    let event = |user: u32| {
        format!("EVENT\t0\t0\t1\t100\t{user}\tna\tSuser\tuser \"{user}\\\u{e4}\tIx\t7\n")
    };
    (0..50).map(event).collect()
}

#[test]
fn prometheus_has_the_values_of_a_scrape() {
    if let Some(program) = program("prometheus") {
        check(&program, prometheus);
    }
}

#[test]
fn victoria_metrics_has_the_values_of_a_scrape() {
    if let Some(program) = program("victoria-metrics") {
        check(&program, victoria_metrics);
    }
}

/// Checks that the values are those of a scrape, and that series end with their metric and
/// with the process.
fn check(program: &Path, options: Options) {
    let address = free_address();
    let url = format!("http://{address}/api/v1/write");
    let fixture = Fixture::with(CONFIG, pushing(&url, SHORT));
    let database = Database::start((program, options), address, fixture.http.unwrap());
    fixture.send(&events());
    let all = |job: &str| database.ask(&format!("{{__name__=~\"dovecot_.+\",job=\"{job}\"}}"));
    let counted = "dovecot_all_total{job=\"pushed\"}".replace("pushed", "fantail");
    eventually("both have the events", || {
        let pushed = database.number(&counted);
        pushed.as_deref() == Some("50") && all("fantail") == all("scraped")
    });
    assert!(all("fantail").len() > 150, "{:?}", all("fantail"));
    // With the labels of a target.
    let named = "dovecot_all_total{job=\"fantail\",instance=\"mx1\"}";
    assert_eq!(database.number(named).as_deref(), Some("50"));
    eventually("both have the metrics of fantail", || {
        let names = |job: &str| {
            let query = format!("count by (__name__) ({{__name__=~\"fantail_.+\",job=\"{job}\"}})");
            database.ask(&query)
        };
        let pushed = names("fantail");
        pushed.len() > 20 && pushed == names("scraped")
    });

    let gone = "dovecot_gone_total{job=\"fantail\"}";
    assert!(database.number(gone).is_some());
    fixture.reader().ask("METRICS-REMOVE\tgone").unwrap();
    eventually("the series has ended", || database.number(gone).is_none());
    assert!(database.number(&counted).is_some());

    fixture.send(&event("a", 1));
    fixture.stop();
    // VictoriaMetrics shows what it received about a second later.
    let any = "count({job=\"fantail\"})";
    eventually("all series have ended", || database.number(any).is_none());
    let last = "last_over_time(dovecot_all_total{job=\"fantail\"}[5m])";
    eventually("the last counts were pushed", || {
        database.number(last).as_deref() == Some("51")
    });
}
