//! Attacks by files, targets and signals: what the server opens and waits for.

use std::{
    fmt::Write as _, fs, os::unix::net::UnixListener, process::Command, thread, time::Duration,
};

use super::{Attack, BASE, HONEST, MIB, Start, Target, clients::Writer};
use crate::error::Error;

/// Five exporters whose targets take connections and read nothing.
const DEAD: &str = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
    metric honest {\n  filter = event=honest AND category=imap\n}\n\
    event_exporter e1 {\n  format = json\n  driver = unix\n  unix_path = FOLDER/dead\n}\n\
    event_exporter e2 {\n  format = json\n  driver = unix\n  unix_path = FOLDER/dead\n}\n\
    event_exporter e3 {\n  format = json\n  driver = unix\n  unix_path = FOLDER/dead\n}\n\
    event_exporter e4 {\n  format = json\n  driver = unix\n  unix_path = FOLDER/dead\n}\n\
    event_exporter e5 {\n  format = json\n  driver = unix\n  unix_path = FOLDER/dead\n}\n\
    metric m1 {\n  filter = event=a\n  exporter = e1\n}\n\
    metric m2 {\n  filter = event=a\n  exporter = e2\n}\n\
    metric m3 {\n  filter = event=a\n  exporter = e3\n}\n\
    metric m4 {\n  filter = event=a\n  exporter = e4\n}\n\
    metric m5 {\n  filter = event=a\n  exporter = e5\n}\n";

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "reload-of-a-pipe",
        blocks: HONEST,
        run: reload_of_a_pipe,
        ..BASE
    },
    Attack {
        name: "reloads-of-many-metrics",
        blocks: HONEST,
        max_peak_bytes: 512 * MIB,
        run: reloads_of_many_metrics,
        ..BASE
    },
    Attack {
        name: "dead-targets",
        blocks: DEAD,
        max_peak_bytes: 768 * MIB,
        run: dead_targets,
        ..BASE
    },
    Attack {
        name: "fatal-filter",
        blocks: HONEST,
        run: fatal_filter,
        ..BASE
    },
    Attack {
        name: "kills-under-load",
        blocks: HONEST,
        run: kills_under_load,
        ..BASE
    },
    Attack {
        name: "used-up-files",
        blocks: HONEST,
        start: Start::WithFiles(512),
        max_peak_bytes: 1_024 * MIB,
        max_end: Duration::from_secs(30),
        run: used_up_files,
        ..BASE
    },
];

/// A pipe without a writer never opens.
fn reload_of_a_pipe(target: &mut Target) -> Result<(), Error> {
    let pipe = target.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err(Error::new("mkfifo failed"));
    }
    let config = target.path("fantail.conf");
    let text = fs::read_to_string(&config).map_err(Error::at("read", &config))?;
    let text = format!("{text}!include {}\n", pipe.display());
    fs::write(&config, text).map_err(Error::at("write", &config))?;
    target.hang_up();
    target.check_honest_client()
}

/// Reloads change ten thousand metrics, and each metric has events.
fn reloads_of_many_metrics(target: &mut Target) -> Result<(), Error> {
    let config = target.path("fantail.conf");
    let before = fs::read_to_string(&config).map_err(Error::at("read", &config))?;
    for round in 0..4 {
        let mut text = before.clone();
        for metric in 0..10_000 {
            let _ = write!(
                text,
                "metric m{metric} {{\n  filter = event=a AND (user=u{metric} OR x={round})\n  \
                 fields = n\n  group_by = user\n}}\n"
            );
        }
        fs::write(&config, text).map_err(Error::at("write", &config))?;
        let answer = target.ask("FANTAIL-RELOAD")?;
        if answer != "+" {
            return Err(Error::new(format!("a reload: {answer}")));
        }
        let mut client = Writer::connect(&target.writer())?;
        for user in 0..10_000 {
            client.send(&format!(
                "EVENT\t0\t0\t1\t100\t0\tna\tSuser\tu{user}\tIn\t5\n"
            ));
        }
        client.finish()?;
        target.check_honest_client()?;
    }
    Ok(())
}

/// The end does not wait for one target after the other.
fn dead_targets(target: &mut Target) -> Result<(), Error> {
    let path = target.path("dead");
    // The target is bound but does not accept connections.
    let dead = UnixListener::bind(&path).map_err(Error::at("bind", &path))?;
    let mut client = Writer::connect(&target.writer())?;
    client.send(&"EVENT\t0\t0\t1\t100\t0\tna\tSpad\tvalue\n".repeat(100_000));
    client.finish()?;
    let honest = target.check_honest_client();
    // Until the server has ended.
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(60));
        drop(dead);
    });
    honest
}

/// Clients are never sent a filter that ends Dovecot's processes.
fn fatal_filter(target: &mut Target) -> Result<(), Error> {
    let answer = target.ask("METRICS-ADD\tfatal\t\t\t\tbytes_in=1k\t\t")?;
    if !answer.starts_with('-') {
        return Err(Error::new("the metric was added"));
    }
    let answer = target.ask("FANTAIL-TAP\tbytes_in=1k\tjson\t1\t1\t1")?;
    match answer.starts_with('-') {
        true => Ok(()),
        false => Err(Error::new("the tap was opened")),
    }
}

/// Clients hold all files that they get.
fn used_up_files(target: &mut Target) -> Result<(), Error> {
    let mut clients = Vec::new();
    for _ in 0..600 {
        if let Ok(client) = Writer::connect(&target.writer()) {
            clients.push(client);
        }
    }
    let answer = target.ask("FANTAIL-RELOAD")?;
    if answer != "+" {
        return Err(Error::new(format!("a reload: {answer}")));
    }
    drop(clients);
    target.check_honest_client()
}

/// Kills the server while clients send, and starts it again.
fn kills_under_load(target: &mut Target) -> Result<(), Error> {
    for round in 0..5 {
        let writer = target.writer();
        let clients = (0..8).map(|_| {
            let writer = writer.clone();
            thread::spawn(move || {
                let Ok(mut client) = Writer::connect(&writer) else {
                    return;
                };
                let lines = "EVENT\t0\t0\t1\t100\t0\tna\tSpad\tvalue\n".repeat(1_000);
                // Sends until the server is killed.
                while client.send(&lines) {}
            })
        });
        let clients: Vec<_> = clients.collect();
        thread::sleep(Duration::from_millis(100 + 37 * round));
        target.kill();
        for client in clients {
            let _ = client.join();
        }
        target.start_again()?;
        target.check_honest_client()?;
    }
    Ok(())
}
