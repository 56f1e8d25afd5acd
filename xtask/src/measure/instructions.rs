//! A guard against slowness that is independent of the machine's load: the
//! number of instructions of fixed workloads, compared with recorded numbers.
//!
//! valgrind counts the instructions of one function, `Worker::play` of
//! `benches/src/pipeline.rs`. They are constant except for the seeds of hash
//! tables. Another compiler generates other instructions, so the recorded
//! numbers are valid for one compiler, and are skipped with any other.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Command};

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    tools,
    workspace::Workspace,
};

/// The recorded numbers, relative to the root.
const RECORDED: &str = "benches/instructions.tsv";
/// The maximum accepted change of a count, as a share: more instructions are a
/// regression, fewer must be recorded.
const MARGIN: f64 = 0.03;
/// Workloads of `benches/src/bin/workload.rs`.
const WORKLOADS: [&str; 7] = [
    "read/recorded",
    "typical-10/recorded",
    "typical-1000/flat",
    "all-10/flat",
    "fields-1000/commands",
    "grouped-10/commands",
    "json/flat",
];

/// Counts and compares; with `UPDATE_EXPECT=1` in the environment, records the
/// counts.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    if !tools::has_program(workspace, "valgrind") {
        return Outcome::Skipped("valgrind is not installed".to_owned());
    }
    let compiler = tools::compiler(workspace);
    let path = workspace.root().join(RECORDED);
    let updates = env::var_os("UPDATE_EXPECT").is_some();
    let recorded = Recorded::parse(&fs::read_to_string(&path).unwrap_or_default());
    if !updates && recorded.compiler != compiler {
        let of = recorded.compiler;
        return Outcome::Optional(format!("recorded with {of}, this is {compiler}"));
    }
    let build = workspace.cargo([
        "build",
        "--release",
        "-p",
        "fantail-benches",
        "--bin",
        "workload",
    ]);
    let outcome = steps.run("instructions-build", [build]);
    if !matches!(outcome, Outcome::Passed(_)) {
        return outcome;
    }
    let mut counts = Vec::new();
    for workload in WORKLOADS {
        match count(workspace, workload) {
            Ok(count) => counts.push((workload, count)),
            Err(error) => return Outcome::Failed(format!("{workload}: {error}")),
        }
    }
    if updates {
        return match fs::write(&path, written(&compiler, &counts)) {
            Ok(()) => Outcome::Passed("recorded".to_owned()),
            Err(error) => Outcome::Failed(format!("{RECORDED}: {error}")),
        };
    }
    judge(&recorded, &counts)
}

/// Counts the instructions of one workload.
fn count(workspace: &Workspace, workload: &str) -> Result<u64, Error> {
    let program: PathBuf = workspace.target().join("release/workload");
    let mut out = OsString::from("--callgrind-out-file=");
    out.push(workspace.logs().join("instructions.callgrind"));
    let mut command: Command = workspace.command("valgrind");
    command.args(["--tool=callgrind", "--collect-atstart=no"]);
    // Exactly these: a closure in them would stop the count.
    for function in ["play", "play_nothing"] {
        command.arg(format!(
            "--toggle-collect=fantail_benches::pipeline::Worker::{function}"
        ));
    }
    command.arg(out);
    command.arg(program).args([workload, "1"]);
    let output = command.output();
    let output = output.map_err(|error| Error::caused("cannot run valgrind", error))?;
    let said = String::from_utf8_lossy(&output.stderr);
    collected(&said).ok_or_else(|| Error::new(format!("valgrind printed no count:\n{said}")))
}

/// Returns the number after `Collected :`.
fn collected(said: &str) -> Option<u64> {
    let (_, number) = said.split_once("Collected :")?;
    number.split_whitespace().next()?.parse().ok()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Recorded {
    compiler: String,
    counts: Vec<(String, u64)>,
}

impl Recorded {
    /// Parses a line for the compiler, and one for each workload, separated by
    /// TABs.
    fn parse(text: &str) -> Self {
        let mut recorded = Self::default();
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        for (name, value) in rows.filter_map(|line| line.split_once('\t')) {
            match value.parse() {
                Ok(count) => recorded.counts.push((name.to_owned(), count)),
                Err(_) if name == "compiler" => value.clone_into(&mut recorded.compiler),
                Err(_) => {}
            }
        }
        recorded
    }

    fn count(&self, workload: &str) -> Option<u64> {
        let mut counts = self.counts.iter();
        let (_, count) = counts.find(|(name, _)| name == workload)?;
        Some(*count)
    }
}

fn written(compiler: &str, counts: &[(&str, u64)]) -> String {
    let rows = counts
        .iter()
        .map(|(name, count)| format!("{name}\t{count}\n"));
    format!(
        "# Instructions of fixed workloads: see docs/performance.md. Written by\n\
         # `UPDATE_EXPECT=1 cargo xtask test instructions`.\n\
         compiler\t{compiler}\n{}",
        rows.collect::<String>()
    )
}

#[allow(clippy::cast_precision_loss, reason = "a ratio")]
fn judge(recorded: &Recorded, counts: &[(&str, u64)]) -> Outcome {
    let (mut report, mut is_well) = (String::new(), true);
    for (workload, count) in counts {
        let Some(before) = recorded.count(workload) else {
            report += &format!("{workload}: {count}, nothing is recorded\n");
            is_well = false;
            continue;
        };
        let change = *count as f64 / before as f64 - 1.0;
        if change.abs() > MARGIN {
            report += &format!(
                "{workload}: {before} -> {count} ({:+.1} %)\n",
                change * 100.0
            );
            is_well = false;
        }
    }
    if is_well {
        return Outcome::Passed(format!("{} workloads", counts.len()));
    }
    let hint = "UPDATE_EXPECT=1 cargo xtask test instructions";
    Outcome::Failed(format!(
        "{report}If that is meant to be, record it ({hint}) and say why in docs/performance.md."
    ))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Recorded, collected, judge, written};

    #[test]
    fn counts_are_found() {
        let said = "==1== Events    : Ir\n==1== Collected : 22398\n==1== \n";
        assert_eq!(collected(said), Some(22_398));
        assert_eq!(collected("valgrind: no such file"), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        let recorded = Recorded::parse(&written("rustc 1", &[("a/b", 5), ("c", 7)]));
        assert_eq!(recorded.compiler, "rustc 1");
        assert_eq!(
            [recorded.count("a/b"), recorded.count("c")],
            [Some(5), Some(7)]
        );
        assert_eq!(recorded.count("d"), None);
    }

    #[track_caller]
    fn check(count: u64, is_well: bool) {
        let recorded = Recorded::parse("a\t1000\n");
        let outcome = judge(&recorded, &[("a", count)]);
        assert_eq!(matches!(outcome, Outcome::Passed(_)), is_well, "{count}");
    }

    #[test]
    fn changes_beyond_the_margin_are_told() {
        check(1000, true);
        check(1029, true);
        check(971, true);
        check(1031, false);
        check(969, false);
        let nothing = judge(&Recorded::default(), &[("a", 1)]);
        assert!(matches!(nothing, Outcome::Failed(_)));
    }
}
