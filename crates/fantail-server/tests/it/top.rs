//! Heavy hitters: those of all workers together, and after a restart.

use std::io::Read as _;

use fantail_server::ServerOptions;
use serde_json::{Value, json};

use crate::{fixture::Fixture, scrapes::with_http};

const CONFIG: &str = "metric m {\n  filter = event=*\n  group_by = u:top:2\n}\n";

fn options(options: &mut ServerOptions) {
    with_http(options);
    options.state = Some(options.config.with_file_name("state"));
}

/// Sends one event for each user, each by a client of its own.
fn send(fixture: &Fixture, users: &str) {
    for user in users.split_whitespace() {
        fixture.send(&format!("EVENT\t0\t0\t1\t100\t0\tne\tSu\t{user}\n"));
    }
}

fn counted(fixture: &Fixture) -> Value {
    let (_, body) = fixture.get("/api/v1/snapshot?metric=m", "");
    let json: Value = serde_json::from_slice(&body).unwrap();
    json["metrics"][0]["top"].clone()
}

#[test]
fn all_workers_count_and_a_restart_forgets_nothing() {
    let fixture = Fixture::within(tempfile::tempdir().unwrap(), CONFIG, options);
    send(&fixture, "anna bert anna anna bert carl");
    let expected = |[anna, bert, total]: [u64; 3]| {
        json!({
            "field": "u",
            "weight": null,
            "total": total,
            "others_at_most": 1,
            "values": [
                { "value": "anna", "counted": anna, "error": 0 },
                { "value": "bert", "counted": bert, "error": 0 },
            ],
        })
    };
    assert_eq!(counted(&fixture), expected([3, 2, 6]));
    let (_, body) = fixture.get("/api/v1/metrics", "");
    let settings: Value = serde_json::from_slice(&body).unwrap();
    let top = json!({ "field": "u", "weight": null, "shown": 2, "counters": 8192 });
    assert_eq!(settings["metrics"][0]["top"], top);
    let dump = fixture.dump("count\tmax");
    assert!(dump.contains("\tu=anna\t3\t3\tu=bert\t2\t2"), "{dump}");
    let folder = fixture.stop();
    let fixture = Fixture::within(folder, CONFIG, options);
    assert_eq!(counted(&fixture), expected([3, 2, 6]));
    send(&fixture, "bert anna");
    assert_eq!(counted(&fixture), expected([4, 3, 8]));
    let mut scrape = String::new();
    let (_, body) = fixture.get("/metrics", "");
    body.as_slice().read_to_string(&mut scrape).unwrap();
    assert!(
        scrape.contains("\ndovecot_m_top{u=\"anna\"} 4\n"),
        "{scrape}"
    );
    assert!(
        scrape.contains("\ndovecot_m_top_error{u=\"anna\"} 0\n"),
        "{scrape}"
    );
}
