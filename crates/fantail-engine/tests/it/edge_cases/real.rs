//! The answers of a real Dovecot.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Users, Version},
    process::wait_until,
};

use super::{Answer, Case, HANDSHAKE};

/// Begins what the stats process exports to the log, after the time.
const LOG_PREFIX: &[u8] = b"stats: Info: ";

const PATIENCE: Duration = Duration::from_secs(60);

/// How often an event is sent for which the log is searched.
const SEND_INTERVAL: Duration = Duration::from_secs(5);

/// Plays the cases into a stats process, one after another; `None` without a
/// Dovecot.
pub(super) fn answers(
    version: Version,
    settings: &str,
    cases: &[Case],
) -> Option<Vec<(String, Answer)>> {
    let installation = Installation::find(version)?;
    let mut site = Site::new(&installation, StatsService::Own, Users::None, settings);
    site.start();
    let mut answers = Vec::new();
    let mut known = 0;
    for (number, case) in cases.iter().enumerate() {
        let mut bytes = case.bytes.clone();
        bytes.extend(mark("end"));
        play(&site, &bytes);
        let log = log_up_to(&site, &format!("case {number}"));
        answers.push((case.name.clone(), answer(&log[known..])));
        known = log.len();
    }
    site.stop();
    Some(answers)
}

/// The log once it has an event that is sent after all others. The event is sent
/// again from time to time: on a busy machine, one was once not logged.
fn log_up_to(site: &Site, name: &str) -> Vec<u8> {
    let export = format!("\"a\":\"{name}\"");
    let mut sent = None;
    wait_until(&format!("an export of {name}"), PATIENCE, || {
        if sent.is_none_or(|at: Instant| at.elapsed() > SEND_INTERVAL) {
            play(site, &[HANDSHAKE, &mark(name)].concat());
            sent = Some(Instant::now());
        }
        let log = site.log();
        log.windows(export.len()).any(|it| it == export.as_bytes())
    });
    site.log()
}

/// The dump after these lines; `None` without a Dovecot.
pub(super) fn dump(version: Version, settings: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let installation = Installation::find(version)?;
    let mut site = Site::new(&installation, StatsService::Own, Users::None, settings);
    site.start();
    // Closed once all of it was read.
    play(&site, bytes);
    let dump = site.doveadm_output(&["stats", "dump"]).stdout;
    site.stop();
    Some(dump)
}

/// An event that is exported if its connection was accepted so far.
fn mark(name: &str) -> Vec<u8> {
    format!("EVENT\t0\t0\t1\t1\t0\tnafter\tSa\t{name}\n").into_bytes()
}

fn play(site: &Site, bytes: &[u8]) {
    let mut connection = UnixStream::connect(site.path("run/stats-writer")).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    // Its greeting.
    let _ = connection.read(&mut [0; 65_536]).unwrap();
    // A server that refuses a line may close before all is sent.
    let _ = connection.write_all(bytes);
    let _ = connection.shutdown(Shutdown::Write);
    let _ = connection.read_to_end(&mut Vec::new());
}

fn answer(log: &[u8]) -> Answer {
    let mut answer = Answer::default();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let at = line
            .windows(LOG_PREFIX.len())
            .position(|it| it == LOG_PREFIX);
        let Some(payload) = at.map(|at| &line[at + LOG_PREFIX.len()..]) else {
            continue;
        };
        if payload.starts_with(b"{\"event\":\"after\"") {
            answer.is_accepted |= payload.windows(9).any(|it| it == b"\"a\":\"end\"");
        } else {
            answer.exports.push(payload.to_vec());
        }
    }
    answer
}
