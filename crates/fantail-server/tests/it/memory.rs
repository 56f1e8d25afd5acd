//! Each part of the memory, driven to its bound: what gives way, and what the
//! process takes then.

use std::{fmt::Write as _, os::unix::net::UnixListener};

use crate::fixture::{
    Fixture, VERSION, Writer, eventually, forget_peak, in_own_process, peak, resident,
};

/// What the process takes besides the memory that is accounted: buffers of the
/// worker and of the test.
const OTHER_BYTES: usize = 3 << 20;

/// A server with one worker and this memory.
fn server(configuration: &str, memory: usize) -> Fixture {
    Fixture::alone(configuration, |options| {
        options.workers = 1;
        options.limits.memory = memory;
        options.http = Some(([127, 0, 0, 1], 0).into());
    })
}

/// The sum of all samples of the server's own metrics that begin like this.
fn sum(fixture: &Fixture, start: &str) -> usize {
    let (_, body) = fixture.get("/metrics", "");
    let text = String::from_utf8(body).unwrap();
    let samples = text.lines().filter(|line| line.starts_with(start));
    let values = samples.map(|line| line.rsplit(' ').next().unwrap());
    values.map(|value| value.parse::<usize>().unwrap()).sum()
}

/// Drives a server until a part has given way. What it has accounted then is nearly
/// the bound of the part, and what it takes is at most 1.25 times as much.
fn check(
    fixture: &Fixture,
    part: &str,
    gives_way: &dyn Fn() -> bool,
    drive: impl FnOnce(&Fixture, &dyn Fn() -> bool),
) {
    let bound = sum(
        fixture,
        &format!("fantail_memory_limit_bytes{{part=\"{part}\"}}"),
    );
    assert!(!gives_way());
    let before = resident();
    forget_peak();
    drive(fixture, gives_way);
    eventually("something gives way", gives_way);
    let taken = peak() - before;
    #[allow(clippy::print_stdout, reason = "for the table of docs/limits.md")]
    {
        println!("{part}: of {bound} bytes at most, {taken} were taken");
    }
    assert!(
        taken * 4 <= (bound + OTHER_BYTES) * 5,
        "{taken} bytes of {part}, of {bound}"
    );
    assert!(
        taken * 2 >= bound,
        "{taken} bytes of {part} are few of {bound}"
    );
}

/// Sends lines with ascending numbers until something gives way.
fn flood(
    fixture: &Fixture,
    first: &str,
    line: impl Fn(usize) -> String,
    is_over: &dyn Fn() -> bool,
) {
    let mut number = 0;
    let mut writers: Vec<Writer> = Vec::new();
    while !is_over() {
        let mut writer = fixture.writer();
        writer.send(format!("{VERSION}{first}").as_bytes());
        for _ in 0..100 {
            let mut lines = String::new();
            for _ in 0..100 {
                number += 1;
                write!(lines, "{}", line(number)).unwrap();
            }
            writer.send(lines.as_bytes());
        }
        writers.push(writer);
    }
}

const HONEST: &str = "metric honest {\n  filter = event=honest\n}\n";

/// Whether a connection was closed for want of memory.
fn closed(fixture: &Fixture) -> impl Fn() -> bool {
    move || sum(fixture, "fantail_protocol_errors_total{kind=\"memory\"}") > 0
}

/// Small live events take several times their text.
#[test]
fn live_events_take_what_is_accounted() {
    in_own_process(|| {
        let fixture = server(HONEST, 64 << 20);
        check(
            &fixture,
            "connections",
            &closed(&fixture),
            |fixture, is_over| {
                let begin = |id| format!("BEGIN\t{id}\t0\t1\t1\t0\tSuser\tanna\n");
                flood(fixture, "", begin, is_over);
            },
        );
    });
}

/// The matcher remembers where the fields of ancestors are.
#[test]
fn ancestors_of_events_take_what_is_accounted() {
    in_own_process(|| {
        let configuration = "metric m {\n  filter = event=e AND user=*n*\n  group_by = user\n}\n";
        let fixture = server(configuration, 64 << 20);
        check(
            &fixture,
            "connections",
            &closed(&fixture),
            |fixture, is_over| {
                let begin = |id| {
                    format!("BEGIN\t{id}\t0\t1\t1\t0\tSuser\tanna\nEVENT\t0\t{id}\t1\t1\t0\tne\n")
                };
                flood(fixture, "", begin, is_over);
            },
        );
    });
}

#[test]
fn large_live_events_take_what_is_accounted() {
    in_own_process(|| {
        let fixture = server(HONEST, 64 << 20);
        check(
            &fixture,
            "connections",
            &closed(&fixture),
            |fixture, is_over| {
                let value = "v".repeat(1_000);
                let begin = |id| format!("BEGIN\t{id}\t0\t1\t1\t0\tSv\t{value}\n");
                flood(fixture, "", begin, is_over);
            },
        );
    });
}

#[test]
fn sessions_take_what_is_accounted() {
    in_own_process(|| {
        let fixture = server(
            "metric s {\n  filter = event=fantail_session_finished\n}\n",
            64 << 20,
        );
        check(
            &fixture,
            "sessions",
            &closed(&fixture),
            |fixture, is_over| {
                let value = "v".repeat(5_000);
                let session = |number| {
                    let (root, child) = (2 * number, 2 * number + 1);
                    format!(
                        "BEGIN\t{root}\t0\t1\t1\t0\tcimap\n\
                 BEGIN\t{child}\t{root}\t1\t1\t0\tSsession\t{root}\tSv\t{value}\nEND\t{child}\n"
                    )
                };
                flood(fixture, "CATEGORY\timap\n", session, is_over);
            },
        );
    });
}

/// Names that filters mention are taken when there is no memory for others.
#[test]
fn categories_take_what_is_accounted() {
    in_own_process(|| {
        let configuration = "metric honest {\n  filter = event=honest AND category=mail\n}\n";
        let fixture = server(configuration, 6 << 20);
        let closed = "fantail_protocol_errors_total{kind=\"bad_category\"}";
        let closed = || sum(&fixture, closed) > 0;
        check(&fixture, "categories", &closed, |fixture, is_over| {
            let padding = "x".repeat(200);
            let mut writers = Vec::new();
            for client in 0.. {
                let mut writer = fixture.writer();
                let names =
                    (0..250).map(|number| format!("CATEGORY\t{client}-{number}{padding}\n"));
                writer.send(format!("{VERSION}{}", names.collect::<String>()).as_bytes());
                writers.push(writer);
                if client % 10 == 0 && is_over() {
                    break;
                }
            }
            fixture.send("CATEGORY\tmail\nEVENT\t0\t0\t1\t1\t0\tnhonest\tcmail\n");
            assert_eq!(sum(fixture, "dovecot_honest_total"), 1);
        });
    });
}

/// The values of users that find no memory are counted in `other`.
#[test]
fn series_take_what_is_accounted() {
    in_own_process(|| {
        let grouped = "fantail {\n  series_per_metric = 1000000\n}\n\
        metric u {\n  filter = event=e\n  group_by = user\n}\n";
        check_series(grouped);
        check_series(&grouped.replace("event=e", "event=e\n  fields = a b"));
        check_series(&grouped.replace("= user", "= user host"));
    });
}

fn check_series(configuration: &str) {
    let event = |user| {
        format!("EVENT\t0\t0\t1\t1\t0\tne\tSuser\tuser{user}@example.com\tShost\ta\tIa\t1\n")
    };
    check_series_of(configuration, 32 << 20, event);
}

/// The values of a few busy users take most of the memory, so that there is none for
/// more users. No value of theirs is lost.
#[test]
fn values_of_series_take_what_is_accounted() {
    const BUSY: usize = 700;
    in_own_process(|| {
        let configuration = "fantail {\n  series_per_metric = 1000000\n}\n\
            metric u {\n  filter = event=e\n  group_by = user\n  fields = a b c\n}\n";
        let event = |number: usize| {
            let user = match number {
                ..=336_000 => number % BUSY,
                _ => number,
            };
            let wide = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
            format!(
                "EVENT\t0\t0\t1\t1\t0\tne\tSuser\tu{user}\tIa\t{wide}\tIb\t{wide}\tIc\t{wide}\n"
            )
        };
        check_series_of(configuration, 16 << 20, event);
    });
}

/// Users that find no memory have no counter; the one with the most events keeps its own.
#[test]
fn heavy_hitters_take_what_is_accounted() {
    in_own_process(|| {
        let configuration = "metric u {\n  filter = event=e\n  \
            group_by = user:top:counters=131072\n}\n";
        let fixture = server(configuration, 16 << 20);
        let shown = || {
            let (_, body) = fixture.get("/api/v1/snapshot?metric=u", "");
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let values = json["metrics"][0]["top"]["values"].as_array().unwrap();
            values.clone()
        };
        // Users of one event are shown as long as each of them has a counter.
        let only_anna = || {
            let values = shown();
            values.len() == 1 && values[0]["value"] == "anna"
        };
        check(&fixture, "series", &only_anna, |fixture, _| {
            let event = |user: &str| format!("EVENT\t0\t0\t1\t1\t0\tne\tSuser\t{user}\n");
            fixture.send(&event("anna").repeat(2_000));
            for thousand in 0..120 {
                let users = (0..1_000).map(|one| {
                    let number = thousand * 1_000 + one;
                    event(&format!("{number:040}@{}", "example.org".repeat(2)))
                });
                fixture.send(&users.collect::<String>());
            }
        });
        assert_eq!(shown()[0]["counted"], 2_000);
    });
}

fn check_series_of(configuration: &str, memory: usize, event: impl Fn(usize) -> String) {
    let fixture = server(configuration, memory);
    // A scrape of all series would take memory of this process, too.
    let other = || {
        let (_, body) = fixture.get("/api/v1/snapshot?limit=1", "");
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json.pointer("/metrics/0/overflowed") != Some(&0.into())
    };
    // Nothing is counted while a snapshot is read: segments that change in the meantime
    // are there twice, and belong to the answers.
    check(&fixture, "series", &other, |fixture, is_over| {
        let mut numbers = 1..;
        while !is_over() {
            let lines = numbers.by_ref().take(10_000).map(&event);
            fixture.send(&lines.collect::<String>());
        }
    });
}

/// A target that reads nothing: its queue takes the memory of queues, and that of
/// another exporter its own share.
#[test]
fn queues_take_what_is_accounted() {
    in_own_process(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead");
        let alive = folder.path().join("alive");
        let _dead = UnixListener::bind(&path).unwrap();
        let configuration = format!(
            "event_exporter dead {{\n  format = json\n  format_args = time-rfc3339\n  transport = unix\n  unix_path = {}\n}}\n\
         event_exporter alive {{\n  format = json\n  format_args = time-rfc3339\n  transport = file\n  file_path = {}\n}}\n\
         metric dead {{\n  filter = event=e\n  exporter = dead\n}}\n\
         metric alive {{\n  filter = event=honest\n  exporter = alive\n}}\n",
            path.display(),
            alive.display()
        );
        let fixture = server(&configuration, 64 << 20);
        let full = "fantail_export_dropped_total{exporter=\"dead\",reason=\"full\"}";
        check(
            &fixture,
            "queues",
            &|| sum(&fixture, full) > 0,
            |fixture, is_over| {
                let value = "v".repeat(1_000);
                let event = |_| format!("EVENT\t0\t0\t1\t1\t0\tne\tSv\t{value}\n");
                flood(fixture, "", event, is_over);
                fixture.send("EVENT\t0\t0\t1\t1\t0\tnhonest\n");
                eventually("the other exporter works", || {
                    sum(fixture, "fantail_export_sent_total{exporter=\"alive\"}") == 1
                });
            },
        );
    });
}
