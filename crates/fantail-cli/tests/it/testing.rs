//! `fantail test`: the documented example, and what else can fail.

use std::{fs::File, io::Write, path::Path};

use super::program::{Run, fantail, test_data};

const CONFIG: &str = "\
event_exporter tab {\n  format = tab-text\n  format_args = time-rfc3339\n  transport = log\n}\n\
event_exporter json {\n  format = json\n  format_args = time-rfc3339\n  transport = log\n}\n\
metric all {\n  filter = event=*\n  exporter = json\n  exporter_include = name hostname\n}\n\
metric x {\n  filter = event=x AND n>5\n  exporter = tab\n  exporter_include = name fields\n}\n";

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs the tests of a file; the folder's name is taken out of what is said.
fn run(config: &str, tests: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "dovecot.conf", config);
    let file = write(folder.path(), "dovecot.test", tests);
    let arguments: Vec<&str> = ["test", &file]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let mut run = fantail(&arguments, b"");
    let prefix = format!("{}/", folder.path().display());
    run.err = run.err.replace(&prefix, "");
    let out = String::from_utf8(run.out).unwrap().replace(&prefix, "");
    Run {
        out: out.into_bytes(),
        ..run
    }
}

/// What is told of one test with this in it, and the exit status.
#[track_caller]
fn check(test: &str, status: i32, expected: &str) {
    let tests = format!("config = dovecot.conf\nhostname = h\ntest t {{\n{test}\n}}\n");
    let run = run(CONFIG, &tests, &[]);
    let told = String::from_utf8(run.out).unwrap() + &run.err;
    assert_eq!(
        (run.status, told.as_str()),
        (Some(status), expected),
        "{test}"
    );
}

const PASSED: &str = "ok      t\n1 passed, 0 failed\n";

#[test]
fn events_of_all_kinds() {
    check("event x {\nn = 6\n}\nmatches = x all", 0, PASSED);
    check(
        "event x {\nn = 5\n}\nmatches = all\nnot_matches = x",
        0,
        PASSED,
    );
    check("event = 1\t0\tnx\tIn\t6\nmatches = x", 0, PASSED);
    check("event = 1\t0\tnx\tcimap\tIn\t6\nmatches = x", 0, PASSED);
    // By its own rules; nothing is exported of an event without a name.
    check(
        "event = 1\t0\tIn\t6\nnot_matches = x all\nexports {\ntab =\njson =\n}",
        0,
        PASSED,
    );
    let capture = test_data("captures/dovecot-2.3.19.tsv");
    let capture = capture.canonicalize().unwrap();
    let recorded = format!("capture = {}\nevent_number = 1 5", capture.display());
    check(
        &format!("{recorded}\nmatches = all\nnot_matches = x"),
        0,
        PASSED,
    );
}

/// An event has its duration when it is exported, as in Dovecot's stats process:
/// 0 if the test says nothing.
#[test]
fn exports() {
    check(
        "event x {\nn = 6\n}\nexports {\ntab = event:x field:n=6 field:duration=0\n}",
        0,
        PASSED,
    );
    check(
        "event x {\nn = 6\nduration = 7\n}\nexports {\ntab = event:x field:n=6 field:duration=7\n}",
        0,
        PASSED,
    );
    check(
        "event x {\nn = 6\n}\nexports {\ntab = event:x\tfield:n=6\tfield:duration=0\n}",
        0,
        PASSED,
    );
    let json = "json = {\"event\":\"x\",\"hostname\":\"h\"}";
    check(
        &format!("event x {{\n}}\nexports {{\n{json}\ntab =\n}}"),
        0,
        PASSED,
    );
    check(
        &format!("event x {{\n}}\nevent x {{\n}}\nexports {{\n{json}\n{json}\n}}"),
        0,
        PASSED,
    );
    check(
        "event x {\nn = 7\nm = a\n}\nexports {\ntab = event:x field:n=6 field:m=a field:duration=0\n}",
        1,
        "FAILED  t\n  dovecot.test:9:1: exporter `tab` writes something else\n    \
         - is expected, + is written:\n        event:x\n      - field:n=6\n      + field:n=7\n        \
         field:m=a\n        field:duration=0\n0 passed, 1 failed\n",
    );
    check(
        "event x {\n}\nexports {\njson =\n}",
        1,
        "FAILED  t\n  dovecot.test:7:1: exporter `json` writes something else\n    \
         nothing is expected, + is written:\n      + {\"event\":\"x\",\"hostname\":\"h\"}\n\
         0 passed, 1 failed\n",
    );
}

/// What is said of a file that cannot be run: the first line of each error.
#[track_caller]
fn faulty(tests: &str, expected: &[&str]) {
    let run = run(CONFIG, tests, &[]);
    assert_eq!((run.status, &*run.out), (Some(1), &b""[..]), "{}", run.err);
    let errors = run.err.lines();
    let errors = errors.filter_map(|line| line.strip_prefix("error[config/"));
    assert_eq!(errors.collect::<Vec<_>>(), expected, "{tests}");
}

/// A file with one test that holds this.
fn whole(test: &str) -> String {
    format!("config = dovecot.conf\ntest t {{\n{test}\n}}\n")
}

#[test]
fn incomplete_files() {
    faulty("", &["incomplete-test]: there is no test in this file"]);
    let nameless = "incomplete-test]: nothing says which configuration is tested";
    faulty("test t {\nevent x {\n}\nmatches = x\n}\n", &[nameless]);
    let no_event = "incomplete-test]: this test has no event";
    faulty(&whole("matches = x"), &[no_event]);
    let nothing = "incomplete-test]: this test expects nothing";
    faulty(&whole("event x {\n}"), &[nothing]);
    let no_capture = "incomplete-test]: the capture of this event is not given";
    faulty(&whole("event_number = 1\nmatches = x"), &[no_capture]);
    let unnamed = "empty-name]: the name of this `event` is empty";
    faulty(&whole("event {\n}\nmatches = x"), &[unnamed]);
    let again = "test t {\nevent x {\n}\nmatches = x\n}\n".repeat(2);
    let twice = "name-taken]: two tests are called `t`";
    faulty(&format!("config = dovecot.conf\n{again}"), &[twice]);
}

#[test]
fn unknown_names() {
    faulty(
        &whole("evnet x {\n}\nmatchs = x"),
        &[
            "unknown-block]: unknown block `evnet` in a test file",
            "unknown-setting]: unknown setting `matchs` in a test file",
        ],
    );
    faulty(
        &whole("event x {\n}\nmatches = y\nexports {\ntba =\n}"),
        &[
            "unknown-metric]: the configuration has no metric `y`",
            "unknown-exporter]: the configuration has no exporter `tba`",
        ],
    );
    faulty(
        &whole("event x {\n}\nmatches = x").replace("dovecot.conf", "none.conf"),
        &["file-not-found]: cannot read none.conf: No such file or directory (os error 2)"],
    );
}

#[test]
fn wrong_values() {
    let short = "invalid-event]: the value is missing (argument 2 of the event)";
    faulty(&whole("event = 1\nmatches = x"), &[short]);
    let from_file = "invalid-event]: values are not read from files here";
    faulty(&whole("event x {\na = <x>\n}\nmatches = x"), &[from_file]);
    let loud = "invalid-event]: there is no such log type";
    faulty(
        &whole("event x {\nlog_type = loud\n}\nmatches = x"),
        &[loud],
    );
    let zero = "invalid-number]: `0` is no number of an event: the first is 1";
    faulty(
        &whole("capture = dovecot.conf\nevent_number = 0\nmatches = x"),
        &[zero],
    );
    let late = "invalid-event]: the capture has no event 5";
    let folder = tempfile::tempdir().unwrap();
    let capture = write(folder.path(), "c.tsv", "");
    let test = format!("capture = {capture}\nevent_number = 5\nmatches = x");
    faulty(&whole(&test), &[late]);
}

#[test]
fn json() {
    let tests = "config = dovecot.conf\ntest a {\nevent y {\n}\nmatches = x\n}\n";
    let run = run(CONFIG, tests, &["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&run.out).unwrap();
    assert_eq!(run.status, Some(1));
    assert_eq!(
        (&report["passed"], &report["failed"]),
        (&0.into(), &1.into())
    );
    let failure = &report["tests"][0]["failures"][0];
    let place = ["line", "column"].map(|key| failure[key].as_u64());
    assert_eq!(place, [Some(5), Some(11)]);
    assert_eq!(failure["metric"], "x");
    assert_eq!(fantail(&["test"], b"").status, Some(2));
}

#[test]
fn a_misspelt_event_is_doubted() {
    let test = "event imap_comand_finished {\nn = 6\n}\nmatches = all";
    let run = run(CONFIG, &whole(test), &[]);
    let doubt =
        "Dovecot has no event `imap_comand_finished`; did you mean `imap_command_finished`?";
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    let told = String::from_utf8(run.out).unwrap();
    let warning = format!("dovecot.test:3:7: warning: {doubt}\n");
    assert_eq!(told, format!("{warning}{PASSED}"));
    let json = self::run(CONFIG, &whole(test), &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.out).unwrap();
    assert_eq!(report["warnings"][0]["message"], doubt);
    assert_eq!(report["warnings"][0]["line"], 3);
}

/// Colours change nothing else, and JSON has none.
#[test]
fn results_are_in_colour() {
    let test = "event imap_comand_finished {\nn = 6\n}\nmatches = x\nexports {\njson =\n}";
    let plain = run(CONFIG, &whole(test), &["--color", "never"]);
    let coloured = run(CONFIG, &whole(test), &["--color", "always"]);
    let coloured = String::from_utf8(coloured.out).unwrap();
    for part in [
        "\x1b[31mFAILED\x1b[0m",
        "\x1b[33mwarning\x1b[0m",
        "\x1b[32m+ ",
    ] {
        assert!(coloured.contains(part), "{coloured:?}");
    }
    let mut without = coloured;
    for code in ["0", "1", "2", "31", "32", "33"] {
        without = without.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(without, String::from_utf8(plain.out).unwrap());
    let json = run(
        CONFIG,
        &whole(test),
        &["--format", "json", "--color", "always"],
    );
    assert!(!json.out.contains(&0x1b));
}

#[test]
fn several_files_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "dovecot.conf", CONFIG);
    let paths = ["a.test", "b.test"].map(|name| {
        write(
            folder.path(),
            name,
            &whole("event x {\nn = 6\n}\nmatches = x"),
        )
    });
    let run = fantail(&["test", &paths[0], &paths[1]], b"");
    let told = String::from_utf8(run.out).unwrap();
    assert_eq!(
        (run.status, told.as_str()),
        (Some(0), "ok      t\nok      t\n2 passed, 0 failed\n")
    );
}
