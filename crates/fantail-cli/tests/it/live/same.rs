//! What clients of a real Dovecot made happen is counted, exported and shown
//! as by Dovecot's own stats process, to which the same is played.

use std::{collections::BTreeMap, time::Duration};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Traffic, Users, Version, play},
    golden,
    process::wait_until,
};

use super::{
    doveadm,
    serve::{Serve, scrape, settings, site_with},
};
use crate::program::contents;

fn check(version: Version) {
    let settings = settings(version);
    let Some(installation) = Installation::find(version) else {
        return;
    };
    // That of 2.4 is not among what continuous integration installs.
    let submits = version == Version::V2_3 && installation.submits();
    let users = if submits {
        Users::Submitting
    } else {
        Users::Served
    };
    let Some(mut site) = site_with(version, users, &settings) else {
        return;
    };
    let recording = site.path("recording");
    let serve = Serve::start(&site, &["--record", recording.to_str().unwrap()]);
    site.start();
    // More users would make more values than a real distribution keeps.
    let report = Traffic::visits(&site, if submits { 1 } else { 2 });
    assert_eq!(report.failures, Vec::<String>::new());
    if submits {
        let report = Traffic::submissions(&site, 2);
        assert_eq!(report.failures, Vec::<String>::new());
    }
    site.stop();
    wait_until("all clients are gone", Duration::from_secs(5), || {
        let lines = contents(&recording);
        let open = open_connections(&lines);
        !open.is_empty() && open.values().all(|open| !open)
    });
    let recording = contents(&recording);
    let ours = Seen {
        // First: doveadm is a client, too.
        scrape: serve.scrape(),
        doveadm: doveadm::texts(&site),
        exports: exports(&site.log()),
    };
    doveadm::check_refusals(&site);
    let installation = site.installation();
    let mut own = Site::new(installation, StatsService::Own, Users::None, &settings);
    own.start();
    play(&recording, &own.path("run/stats-writer"));
    let mut real = Seen {
        scrape: scrape(own.scrape_address()),
        doveadm: doveadm::texts(&own),
        exports: Vec::new(),
    };
    own.stop();
    real.exports = exports(&own.log());
    compare(&real, &ours);
    assert!(golden::lines(&recording).len() > 500);
}

/// What a stats server answered and exported.
struct Seen {
    scrape: Vec<u8>,
    doveadm: Vec<(String, String)>,
    exports: Vec<Vec<u8>>,
}

fn compare(real: &Seen, ours: &Seen) {
    assert!(real.exports.len() > 200, "{}", real.exports.len());
    compare_sorted("exports", &real.exports, &ours.exports);
    let real_scrape = comparable_scrape(&real.scrape);
    assert!(real_scrape.len() > 50, "{}", real_scrape.len());
    compare_sorted("scrape", &real_scrape, &comparable_scrape(&ours.scrape));
    for ((command, real), (_, ours)) in real.doveadm.iter().zip(&ours.doveadm) {
        let lines = |text: &str| {
            golden::lines(text.as_bytes())
                .iter()
                .map(|l| l.to_vec())
                .collect()
        };
        let (real, ours): (Vec<_>, Vec<_>) = (lines(real), lines(ours));
        compare_sorted(command, &real, &ours);
    }
    assert_eq!(real.doveadm.len(), ours.doveadm.len());
}

/// Which connections of a recording are open at its end.
fn open_connections(recording: &[u8]) -> BTreeMap<&[u8], bool> {
    let mut open = BTreeMap::new();
    for line in golden::lines(recording) {
        let mut parts = line.splitn(3, |&byte| byte == b'\t');
        let name = parts.next().unwrap();
        open.insert(name, parts.nth(1) != Some(b"<close>"));
    }
    open
}

/// Events come in another order where several clients send at once.
#[track_caller]
fn compare_sorted(what: &str, real: &[Vec<u8>], ours: &[Vec<u8>]) {
    let mut left: BTreeMap<&[u8], i64> = BTreeMap::new();
    for line in real {
        *left.entry(line).or_default() += 1;
    }
    for line in ours {
        *left.entry(line).or_default() -= 1;
    }
    left.retain(|_, count| *count != 0);
    let shown = |sign: i64| {
        let lines = left.iter().filter(move |(_, count)| count.signum() == sign);
        lines
            .map(|(line, _)| line.escape_ascii().to_string())
            .take(3)
            .collect::<Vec<_>>()
    };
    let (missing, surplus) = (shown(1), shown(-1));
    assert!(
        left.is_empty(),
        "{what}: missing {missing:#?}\nsurplus {surplus:#?}"
    );
}

/// A scrape without the lines that are about the process which answered.
fn comparable_scrape(text: &[u8]) -> Vec<Vec<u8>> {
    let process = ["process_start_time_seconds ", "dovecot_build_info{"];
    let is_other = |line: &&[u8]| !process.iter().any(|name| line.starts_with(name.as_bytes()));
    golden::lines(text)
        .into_iter()
        .filter(is_other)
        .map(<[u8]>::to_vec)
        .collect()
}

/// What log exporters wrote to Dovecot's log: `Nov 22 10:26:05 stats: Info: <line>`.
fn exports(log: &[u8]) -> Vec<Vec<u8>> {
    const MARK: &[u8] = b" stats: Info: ";
    let exports = golden::lines(log).into_iter().filter_map(|line| {
        let at = line.windows(MARK.len()).position(|bytes| bytes == MARK)?;
        // After the date: what is exported may have these words, too.
        (at <= 15).then(|| golden::normalized_export(&line[at + MARK.len()..]))
    });
    exports.collect()
}

#[test]
fn as_dovecot_2_3() {
    check(Version::V2_3);
}

#[test]
fn as_dovecot_2_4() {
    check(Version::V2_4);
}
