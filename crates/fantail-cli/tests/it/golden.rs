//! `fantail replay` against what real stats processes gave for the same
//! captures and configurations.

mod exact;

use fantail_testkit::golden::{self, SAMPLE};

use super::program::{Run, contents, fantail, test_data};

/// Plays a golden set; gives the exports, the dump, and what the real one
/// gave.
fn replay(set: &str) -> [(Vec<u8>, Vec<u8>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let [exports, dump] = ["exports", "dump"].map(|name| folder.path().join(name));
    let config = test_data(&format!("captures/{set}/dovecot.conf"));
    let capture = test_data(&capture_of(set));
    let arguments = [
        "replay".as_ref(),
        "--hostname".as_ref(),
        "vm".as_ref(),
        "--dialect".as_ref(),
        set[..3].as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
        "--exports".as_ref(),
        exports.as_os_str(),
        "--dump".as_ref(),
        dump.as_os_str(),
        capture.as_os_str(),
    ];
    assert_eq!(fantail(&arguments, b"").succeeded(), b"");
    let expected = |name: &str| contents(test_data(&format!("captures/{set}/{name}")));
    [
        (contents(exports), expected("export.log")),
        (contents(dump), expected("dump.txt")),
    ]
}

fn capture_of(set: &str) -> String {
    format!("captures/dovecot-{}.tsv", set.split_once('-').unwrap().0)
}

#[track_caller]
fn check(set: &str) {
    let [(exports, real_exports), (dump, real_dump)] = replay(set);
    if let Err(difference) = golden::compare_exports(&real_exports, &exports) {
        panic!("exports of {set}: {difference}");
    }
    if let Err(difference) = golden::compare_dumps(&real_dump, &dump) {
        panic!("dump of {set}: {difference}");
    }
    for row in golden::dump_rows(&dump)
        .iter()
        .filter(|row| row.count() > SAMPLE)
    {
        exact::check(set, &capture_of(set), row);
    }
}

#[test]
fn seed_of_2_3() {
    check("2.3.19-seed");
}

#[test]
fn wide_of_2_3() {
    check("2.3.19-wide");
}

#[test]
fn wide_of_2_4() {
    check("2.4.1-wide");
}

#[track_caller]
fn check_compatible(set: &str) {
    let config = format!("testdata/captures/{set}/dovecot.conf");
    let capture = format!("testdata/{}", capture_of(set));
    let arguments = [
        "replay",
        "--dialect",
        &set[..3],
        "--config",
        &config,
        "--exports",
        "/dev/null",
        "--compat-metrics",
        "-",
        &capture,
    ];
    let got = fantail(&arguments, b"").succeeded();
    let real = contents(test_data(&format!("captures/{set}/openmetrics.txt")));
    // Two lines are about the process that answered.
    let comparable = |text: &[u8]| {
        let process = ["process_start_time_seconds ", "dovecot_build_info{"];
        let lines = golden::lines(text).into_iter().map(String::from_utf8_lossy);
        let others = lines.filter(|line| !process.iter().any(|name| line.starts_with(name)));
        others
            .map(|line| line.into_owned() + "\n")
            .collect::<String>()
    };
    assert_eq!(comparable(&got), comparable(&real));
    assert_eq!(golden::lines(&got).len(), golden::lines(&real).len());
}

#[test]
fn the_compatible_scrape_of_all_sets() {
    for set in ["2.3.19-seed", "2.3.19-wide", "2.4.1-wide"] {
        check_compatible(set);
    }
}

/// The two outputs may be one: exports first, then the dump.
#[test]
fn both_on_standard_output() {
    let arguments = [
        "replay",
        "--config",
        "testdata/captures/2.3.19-seed/dovecot.conf",
        "--dump",
        "-",
        "testdata/captures/dovecot-2.3.19.tsv",
    ];
    let Run { status, out, .. } = fantail(&arguments, b"");
    assert_eq!(status, Some(0));
    let real = contents(test_data("captures/2.3.19-seed/dump.txt"));
    let rows = golden::lines(&real).len();
    let lines = golden::lines(&out);
    let (exports, dump) = lines.split_at(lines.len() - rows);
    let real = contents(test_data("captures/2.3.19-seed/export.log"));
    assert_eq!(exports.len(), golden::lines(&real).len());
    assert!(dump[0].starts_with(b"metric_name\tfield\tcount\t"));
}

/// The line that the README shows is one that its command writes.
#[test]
fn the_example_of_the_readme() {
    let readme = contents(super::program::repository().join("README.md"));
    let shown = golden::lines(&readme)
        .into_iter()
        .find(|line| line.starts_with(b"start_time:"))
        .unwrap();
    let config = "testdata/readme/dovecot.conf";
    let file = contents(super::program::repository().join(config));
    let blocks = String::from_utf8_lossy(&readme);
    assert!(
        blocks.contains(&*String::from_utf8_lossy(&file)),
        "not the file that is run"
    );
    let capture = "testdata/captures/dovecot-2.3.19.tsv";
    let exports = fantail(&["replay", "--config", config, capture], b"").succeeded();
    let written = golden::lines(&exports).into_iter().any(|line| {
        let blanks = line
            .iter()
            .map(|&byte| if byte == b'\t' { b' ' } else { byte });
        blanks.eq(shown.iter().copied())
    });
    assert!(written, "{}", shown.escape_ascii());
}

/// The first command of the README answers with a screen, not with a flood.
#[test]
fn the_command_of_the_readme_prints_what_it_shows() {
    let readme =
        String::from_utf8(contents(super::program::repository().join("README.md"))).unwrap();
    let command = readme.lines().find(|line| line.starts_with("cargo run "));
    let (_, arguments) = command.unwrap().split_once(" -- ").unwrap();
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let out = fantail(&arguments, b"").succeeded();
    let lines = golden::lines(&out);
    assert!(lines.len() < 40, "{}", lines.len());
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let shown = readme
        .lines()
        .skip_while(|line| !line.starts_with("metric_name"));
    let shown: Vec<_> = shown.take_while(|line| *line != "```").map(words).collect();
    let printed = lines
        .iter()
        .map(|line| words(&String::from_utf8_lossy(line)));
    let printed: Vec<_> = printed.collect();
    assert_eq!(shown, printed);
}
